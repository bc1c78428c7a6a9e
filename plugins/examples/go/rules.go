package main

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strings"

	"switchboard/types"
)

type rules struct {
	perPurchase uint64
	expireDays  uint64
	ask         []string
	answer      string
	thanks      string
}

// readRules takes the rules from JSON, or says every problem they have.
func readRules(text string) (rules, []types.Problem) {
	read := rules{
		perPurchase: 10,
		expireDays:  365,
		ask:         []string{"points"},
		answer:      "You have {points} points.",
		thanks:      "Thank you! You now have {points} points.",
	}
	var given map[string]any
	if err := json.Unmarshal([]byte(text), &given); err != nil || given == nil {
		return read, []types.Problem{{Path: "", Message: "must be a table"}}
	}
	var problems []types.Problem
	complain := func(path, message string) {
		problems = append(problems, types.Problem{Path: path, Message: message})
	}
	for key, value := range given {
		switch key {
		case "per_purchase":
			if !whole(value, 1, math.MaxInt64, &read.perPurchase) {
				complain("/per_purchase", "must be a whole number of at least 1")
			}
		case "expire_days":
			if !whole(value, 1, 3650, &read.expireDays) {
				complain("/expire_days", "must be a whole number from 1 to 3650")
			}
		case "ask":
			read.ask = readAsk(value, complain)
		case "answer":
			if !withPoints(value, &read.answer) {
				complain("/answer", "must be a text that contains {points}")
			}
		case "thanks":
			if !withPoints(value, &read.thanks) {
				complain("/thanks", "must be a text that contains {points}")
			}
		default:
			// As a JSON pointer wants it.
			path := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
			complain(path, "is not known; known are answer, ask, expire_days, per_purchase, thanks")
		}
	}
	sort.Slice(problems, func(i, j int) bool { return problems[i].Path < problems[j].Path })
	return read, problems
}

func readAsk(value any, complain func(path, message string)) []string {
	list, _ := value.([]any)
	if len(list) == 0 {
		complain("/ask", "must be a list of at least one text")
	}
	var ask []string
	for place, words := range list {
		text, _ := words.(string)
		if text == "" {
			complain(fmt.Sprintf("/ask/%d", place), "must be a text that is not empty")
		}
		ask = append(ask, strings.ToLower(text))
	}
	return ask
}

// whole takes a number without a fraction. Every number in JSON is a float64.
func whole(value any, from, to float64, into *uint64) bool {
	number, ok := value.(float64)
	if !ok || number < from || number > to || math.Trunc(number) != number {
		return false
	}
	*into = uint64(number)
	return true
}

func withPoints(value any, into *string) bool {
	text, ok := value.(string)
	*into = text
	return ok && strings.Contains(text, "{points}")
}
