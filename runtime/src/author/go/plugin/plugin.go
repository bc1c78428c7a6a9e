// Package plugin connects a Switchboard plugin written in Go to its host.
//
// Call [Export] in an init function. What a plugin reads and does is in the
// packages contact, event, business, effects, kv, log and http; see their
// comments.
package plugin

import (
	"errors"
	"runtime"
	"runtime/debug"

	"switchboard/export_guest"
	"switchboard/guest"
	"switchboard/types"
	wit "switchboard/wit/types"
	_ "switchboard/wit_exports"
)

// Plugin is what a plugin does.
type Plugin interface {
	// Describe says who the plugin is. It must not depend on the rules.
	Describe() types.Descriptor
	// Configure takes the rules, a JSON text, or says every problem they have.
	Configure(rules string) []types.Problem
	// Handle deals with one event. An error drops every effect of this step.
	// Memory is not state: keep what matters in kv.
	Handle(event types.Event) (Verdict, error)
}

// Verdict is what the chain does after this step.
type Verdict = guest.Verdict

// Continue goes on with the next step, Stop makes later steps not see this event.
const (
	Continue = guest.VerdictContinue
	Stop     = guest.VerdictStop
)

// Export makes a plugin the one that this component is.
func Export(plugin Plugin) {
	export_guest.OnDescribe = plugin.Describe
	export_guest.OnConfigure = func(rules string) wit.Result[wit.Unit, []types.Problem] {
		if problems := plugin.Configure(rules); len(problems) > 0 {
			return wit.Err[wit.Unit, []types.Problem](problems)
		}
		return wit.Ok[wit.Unit, []types.Problem](wit.Unit{})
	}
	export_guest.OnHandle = func(event types.Event) wit.Result[guest.Verdict, string] {
		collect()
		verdict, err := plugin.Handle(event)
		if err != nil {
			return wit.Err[guest.Verdict, string](err.Error())
		}
		return wit.Ok[guest.Verdict, string](verdict)
	}
}

// Err turns what an effect returns into an error: nil if it was accepted.
func Err[T any](result wit.Result[T, string]) error {
	if result.IsErr() {
		return errors.New(result.Err())
	}
	return nil
}

// First is the first error that is one. An error drops every effect of the
// step, so that effects may be asked for one after the other, and looked at
// together.
func First(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Some is an optional value that is there.
func Some[T any](value T) wit.Option[T] { return wit.Some(value) }

// None is an optional value that is not there.
func None[T any]() wit.Option[T] { return wit.None[T]() }

// Garbage that may gather between two collections.
const garbage = 4 << 20

var kept uint64

// Go's collector looks at the clock, and so calls the host, where a component
// may not: while its arguments are handed over. So it is off, and runs here,
// where calls are allowed, once enough has gathered.
func init() { debug.SetGCPercent(-1) }

func collect() {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	if memory.HeapAlloc < kept+garbage {
		return
	}
	runtime.GC()
	runtime.ReadMemStats(&memory)
	kept = memory.HeapAlloc
}
