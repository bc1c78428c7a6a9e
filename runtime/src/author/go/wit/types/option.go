// Package wit_types has the shapes of the contract that Go lacks. The bindings
// ask for them by these names.
package wit_types

const (
	OptionNone uint8 = iota
	OptionSome
)

// Option is a value that may not be there.
type Option[T any] struct {
	value *T
}

func Some[T any](value T) Option[T] { return Option[T]{&value} }

func None[T any]() Option[T] { return Option[T]{} }

func (o Option[T]) IsSome() bool { return o.value != nil }

func (o Option[T]) IsNone() bool { return o.value == nil }

// Some is the value. It panics if there is none.
func (o Option[T]) Some() T {
	if o.value == nil {
		panic("there is no value")
	}
	return *o.value
}

// SomeOr is the value, or another if there is none.
func (o Option[T]) SomeOr(otherwise T) T {
	if o.value == nil {
		return otherwise
	}
	return *o.value
}

func (o Option[T]) Tag() uint8 {
	if o.value == nil {
		return OptionNone
	}
	return OptionSome
}
