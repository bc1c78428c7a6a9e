// Counts purchases and tells customers their points.
package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"switchboard/business"
	"switchboard/effects"
	"switchboard/kv"
	"switchboard/plugin"
	"switchboard/types"
)

const day = 24 * 60 * 60 * 1000 // Moments are in milliseconds.

// loyalty holds the rules. Nothing else may be kept in memory between two
// events: what matters is in the key-value store.
type loyalty struct {
	rules rules
}

func init() { plugin.Export(&loyalty{}) }

// main is never called, but Go wants one.
func main() {}

func (l *loyalty) Describe() types.Descriptor {
	return types.Descriptor{
		Name:        "loyalty",
		Version:     "0.1.0",
		Summary:     "Counts purchases and tells customers their points",
		RulesSchema: plugin.None[string](),
		Events:      []string{"message", "timer"},
	}
}

func (l *loyalty) Configure(json string) []types.Problem {
	var problems []types.Problem
	l.rules, problems = readRules(json)
	return problems
}

func (l *loyalty) Handle(event types.Event) (plugin.Verdict, error) {
	switch event.Tag() {
	case types.EventMessage:
		return l.onMessage(event.Message().Content)
	case types.EventTimer:
		if timer := event.Timer(); timer.Name == "expiry" {
			return onExpiry(timer)
		}
	}
	return plugin.Continue, nil
}

func (l *loyalty) onMessage(content types.Content) (plugin.Verdict, error) {
	switch content.Tag() {
	case types.ContentText:
		return l.onWords(content.Text())
	case types.ContentChoice:
		return l.onWords(content.Choice().Title)
	case types.ContentOther:
		if content.Other().Kind == "order" {
			return l.onOrder()
		}
	}
	return plugin.Continue, nil
}

func (l *loyalty) onWords(words string) (plugin.Verdict, error) {
	words = strings.ToLower(words)
	for _, asked := range l.rules.ask {
		if !strings.Contains(words, asked) {
			continue
		}
		points, err := storedPoints()
		if err != nil {
			return plugin.Stop, err
		}
		effects.Because("asked for points")
		return plugin.Stop, say(l.rules.answer, points)
	}
	return plugin.Continue, nil
}

func (l *loyalty) onOrder() (plugin.Verdict, error) {
	points, err := storedPoints()
	if err != nil {
		return plugin.Continue, err
	}
	points += l.rules.perPurchase
	text := strconv.FormatUint(points, 10)
	expiry := business.Now() + l.rules.expireDays*day
	effects.Because(fmt.Sprintf("a purchase: +%d, now %d", l.rules.perPurchase, points))
	return plugin.Continue, plugin.First(
		plugin.Err(kv.Set(types.ScopeContact, "points", []byte(text), plugin.None[uint64]())),
		plugin.Err(effects.SetTimer("expiry", expiry, text)),
		plugin.Err(effects.Tag("customer", plugin.None[uint64]())),
		say(l.rules.thanks, points),
	)
}

func onExpiry(timer types.Timer) (plugin.Verdict, error) {
	effects.Because("points expired")
	return plugin.Continue, plugin.First(
		plugin.Err(kv.Delete(types.ScopeContact, "points")),
		plugin.Err(effects.Untag("customer")),
		plugin.Err(effects.Note(timer.Payload+" points expired")),
	)
}

var digits = regexp.MustCompile("^[0-9]{1,15}$")

func storedPoints() (uint64, error) {
	stored := kv.Get(types.ScopeContact, "points")
	if stored.IsNone() {
		return 0, nil
	}
	text := string(stored.Some())
	if !digits.MatchString(text) {
		return 0, fmt.Errorf("the stored points are not a number: %s", text)
	}
	return strconv.ParseUint(text, 10, 64)
}

func say(text string, points uint64) error {
	text = strings.ReplaceAll(text, "{points}", strconv.FormatUint(points, 10))
	return plugin.Err(effects.Reply(types.MakeOutgoingText(text)))
}
