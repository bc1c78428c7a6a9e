// Package runtime lends memory to the host: its half of a call puts there what
// a function is given. The bindings ask for it by these names.
package runtime

import (
	"runtime"
	"unsafe"
)

// Eight bytes are aligned for whatever the contract has.
const word = 8

// lent holds on to what the host was lent until the call is over.
var lent runtime.Pinner

// Unpin ends what was lent for a call.
func Unpin() { lent.Unpin() }

// Allocate makes room that stays where it is while pinner holds it.
func Allocate(pinner *runtime.Pinner, size, _ uintptr) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	room := unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+word-1)/word)))
	pinner.Pin(room)
	return room
}

// Before Go has started nothing can be allocated, but what stands between a
// component and its host asks for a page of its own then, and a little more.
var (
	started   bool
	early     [96 * 1024 / word]uint64
	earlyUsed uintptr
)

func init() { started = true }

//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, _, align, size uintptr) unsafe.Pointer {
	if old != nil {
		panic("what was lent does not grow")
	}
	if started {
		return Allocate(&lent, size, align)
	}
	room := unsafe.Pointer(&early[earlyUsed])
	earlyUsed += (size + word - 1) / word
	return room
}
