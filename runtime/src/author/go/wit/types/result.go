package wit_types

const (
	ResultOk uint8 = iota
	ResultErr
)

// Result is what a function gives, or why it failed.
type Result[T any, E any] struct {
	failed bool
	value  T
	reason E
}

func Ok[T any, E any](value T) Result[T, E] { return Result[T, E]{value: value} }

func Err[T any, E any](reason E) Result[T, E] { return Result[T, E]{failed: true, reason: reason} }

func (r Result[T, E]) IsOk() bool { return !r.failed }

func (r Result[T, E]) IsErr() bool { return r.failed }

// Ok is what it gives. It panics if it failed.
func (r Result[T, E]) Ok() T {
	if r.failed {
		panic("it failed")
	}
	return r.value
}

// Err is why it failed. It panics if it did not.
func (r Result[T, E]) Err() E {
	if !r.failed {
		panic("it did not fail")
	}
	return r.reason
}

func (r Result[T, E]) Tag() uint8 {
	if r.failed {
		return ResultErr
	}
	return ResultOk
}

// Unit is what a function gives that gives nothing.
type Unit struct{}
