/** Counts purchases and tells customers their points. */

// The host's contract: made by `switchboard plugin build`, read it in
// .switchboard/types.
import * as business from "switchboard:plugin/business@0.1.0";
import * as effects from "switchboard:plugin/effects@0.1.0";
import type { Guest, Verdict } from "switchboard:plugin/guest@0.1.0";
import * as kv from "switchboard:plugin/kv@0.1.0";
import type { Descriptor, Event, Message, Timer } from "switchboard:plugin/types@0.1.0";
import { readRules, type Rules } from "./rules.js";

/** Moments are in milliseconds. */
const DAY = 24 * 60 * 60 * 1000;

// Set once by `configure`. Nothing else may be kept in memory between two
// events: what matters is in the key-value store.
let rules: Rules;

/** What the host calls. A function of the contract fails by throwing. */
export const guest: Guest = {
  describe(): Descriptor {
    return {
      name: "loyalty",
      version: "0.1.0",
      summary: "Counts purchases and tells customers their points",
      events: ["message", "timer"],
      wants: [],
    };
  },

  configure(json: string): void {
    rules = readRules(json);
  },

  handle(event: Event): Verdict {
    switch (event.tag) {
      case "message":
        return onMessage(event.val);
      case "timer":
        return event.val.name === "expiry" ? onExpiry(event.val) : "continue";
      default:
        return "continue";
    }
  },
};

function onMessage({ content }: Message): Verdict {
  switch (content.tag) {
    case "text":
      return onWords(content.val);
    case "choice":
      return onWords(content.val.title);
    case "other":
      return content.val.kind === "order" ? onOrder() : "continue";
    default:
      return "continue";
  }
}

function onWords(words: string): Verdict {
  const lower = words.toLowerCase();
  if (!rules.ask.some((asked) => lower.includes(asked))) {
    return "continue";
  }
  say(rules.answer, storedPoints());
  effects.because("asked for points");
  return "stop";
}

function onOrder(): Verdict {
  const points = storedPoints() + rules.perPurchase;
  kv.set("contact", "points", toBytes(`${points}`), null);
  effects.setTimer("expiry", business.now() + rules.expireDays * DAY, `${points}`);
  effects.tag("customer", null);
  say(rules.thanks, points);
  effects.because(`a purchase: +${rules.perPurchase}, now ${points}`);
  return "continue";
}

function onExpiry(timer: Timer): Verdict {
  kv.delete("contact", "points");
  effects.untag("customer");
  effects.note(`${timer.payload} points expired`);
  effects.because("points expired");
  return "continue";
}

function storedPoints(): number {
  const stored = kv.get("contact", "points");
  if (stored === null) {
    return 0;
  }
  const text = toText(stored);
  if (!/^[0-9]{1,15}$/.test(text)) {
    throw `the stored points are not a number: ${text}`;
  }
  return Number(text);
}

function say(text: string, points: number): void {
  effects.reply({ tag: "text", val: text.replaceAll("{points}", `${points}`) });
}

// Points are digits, so a byte is a character.

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function toText(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
