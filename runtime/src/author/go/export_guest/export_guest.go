// Package export_guest is what the generated code calls. Package plugin sets
// what it does.
package export_guest

import (
	"switchboard/guest"
	"switchboard/types"
	wit "switchboard/wit/types"
)

var (
	OnDescribe  func() types.Descriptor
	OnConfigure func(rules string) wit.Result[wit.Unit, []types.Problem]
	OnHandle    func(event types.Event) wit.Result[guest.Verdict, string]
)

func Describe() types.Descriptor { return OnDescribe() }

func Configure(rules string) wit.Result[wit.Unit, []types.Problem] { return OnConfigure(rules) }

func Handle(event types.Event) wit.Result[guest.Verdict, string] { return OnHandle(event) }
