// From go.bytecodealliance.org/pkg (Apache-2.0 WITH LLVM-exception), which wit-bindgen's Go needs.

package wit_types

type Unit struct{}
