/** Answers a greeting. */

// The host's contract: made by `switchboard plugin build`, read it in
// .switchboard/types.
import * as effects from "switchboard:plugin/effects@0.1.0";
import type { Guest, Verdict } from "switchboard:plugin/guest@0.1.0";
import type { Descriptor, Event, Problem } from "switchboard:plugin/types@0.1.0";

const DEFAULTS = { ask: "hello", say: "Hello! What can I do for you?" };

// Set once by `configure`. What matters between two events belongs into the
// key-value store (`kv`), not into memory.
let rules = DEFAULTS;

/** What the host calls. A function of the contract fails by throwing. */
export const guest: Guest = {
  describe(): Descriptor {
    return {
      name: "{{name}}",
      version: "0.1.0",
      summary: "Answers a greeting",
      events: ["message"],
      wants: [],
    };
  },

  configure(json: string): void {
    const given = { ...DEFAULTS, ...JSON.parse(json) };
    const problems: Problem[] = [];
    for (const key of ["ask", "say"]) {
      if (typeof given[key] !== "string" || given[key] === "") {
        problems.push({ path: `/${key}`, message: "must be a text that is not empty" });
      }
    }
    if (problems.length > 0) {
      throw problems;
    }
    rules = given;
  },

  handle(event: Event): Verdict {
    if (event.tag === "message" && event.val.content.tag === "text") {
      return onText(event.val.content.val);
    }
    return "continue";
  },
};

function onText(text: string): Verdict {
  if (!text.toLowerCase().includes(rules.ask.toLowerCase())) {
    return "continue";
  }
  effects.reply({ tag: "text", val: rules.say });
  effects.because(`\`${rules.ask}\` was said`);
  return "stop";
}
