// Answers a greeting.
package main

import (
	"encoding/json"
	"strings"

	"switchboard/effects"
	"switchboard/plugin"
	"switchboard/types"
)

// greeter holds the rules. What matters between two events belongs into the
// key-value store (package kv), not into memory.
type greeter struct {
	Ask string `json:"ask"`
	Say string `json:"say"`
}

func init() { plugin.Export(&greeter{}) }

// main is never called, but Go wants one.
func main() {}

func (g *greeter) Describe() types.Descriptor {
	return types.Descriptor{
		Name:        "{{name}}",
		Version:     "0.1.0",
		Summary:     "Answers a greeting",
		RulesSchema: plugin.None[string](),
		Events:      []string{"message"},
	}
}

func (g *greeter) Configure(rules string) []types.Problem {
	*g = greeter{Ask: "hello", Say: "Hello! What can I do for you?"}
	if err := json.Unmarshal([]byte(rules), g); err != nil {
		return []types.Problem{{Path: "", Message: err.Error()}}
	}
	var problems []types.Problem
	if g.Ask == "" {
		problems = append(problems, types.Problem{Path: "/ask", Message: "must be a text that is not empty"})
	}
	if g.Say == "" {
		problems = append(problems, types.Problem{Path: "/say", Message: "must be a text that is not empty"})
	}
	return problems
}

func (g *greeter) Handle(event types.Event) (plugin.Verdict, error) {
	if event.Tag() != types.EventMessage {
		return plugin.Continue, nil
	}
	content := event.Message().Content
	if content.Tag() != types.ContentText {
		return plugin.Continue, nil
	}
	if !strings.Contains(strings.ToLower(content.Text()), strings.ToLower(g.Ask)) {
		return plugin.Continue, nil
	}
	effects.Because("`" + g.Ask + "` was said")
	return plugin.Stop, plugin.Err(effects.Reply(types.MakeOutgoingText(g.Say)))
}
