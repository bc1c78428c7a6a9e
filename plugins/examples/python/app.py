"""Counts purchases and tells customers their points."""

import json
import re

# The host's contract: made by `switchboard plugin build`, read it in
# .switchboard/python/wit_world.
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.guest import Verdict
from wit_world.imports import business, effects, kv
from wit_world.imports.types import (
    Content_Choice,
    Content_Other,
    Content_Text,
    Descriptor,
    Event,
    Event_Message,
    Event_Timer,
    Message,
    Outgoing_Text,
    Problem,
    Scope,
    Timer,
)

DAY = 24 * 60 * 60 * 1000  # Moments are in milliseconds.

DEFAULTS = {
    "per_purchase": 10,
    "expire_days": 365,
    "ask": ["points"],
    "answer": "You have {points} points.",
    "thanks": "Thank you! You now have {points} points.",
}

# Set once by `configure`. Nothing else may be kept in memory between two
# events: what matters is in the key-value store.
rules: dict = {}


class Guest(exports.Guest):
    """What the host calls."""

    def describe(self) -> Descriptor:
        return Descriptor(
            name="loyalty",
            version="0.1.0",
            summary="Counts purchases and tells customers their points",
            rules_schema=None,
            events=["message", "timer"],
            wants=[],
        )

    def configure(self, rules_json: str) -> None:
        global rules
        given = json.loads(rules_json)
        problems = check(given)
        if problems:
            # `Err` is how a function of the contract fails.
            raise Err([Problem(path, message) for path, message in sorted(problems)])
        rules = DEFAULTS | given
        rules["ask"] = [words.lower() for words in rules["ask"]]

    def handle(self, event: Event) -> Verdict:
        match event:
            case Event_Message(message):
                return on_message(message)
            case Event_Timer(Timer(name="expiry") as timer):
                return on_expiry(timer)
        return Verdict.CONTINUE


def on_message(message: Message) -> Verdict:
    match message.content:
        case Content_Other(other) if other.kind == "order":
            return on_order()
        case Content_Text(text):
            words = text.lower()
        case Content_Choice(choice):
            words = choice.title.lower()
        case _:
            return Verdict.CONTINUE
    if not any(asked in words for asked in rules["ask"]):
        return Verdict.CONTINUE
    say(rules["answer"], stored_points())
    effects.because("asked for points")
    return Verdict.STOP


def on_order() -> Verdict:
    points = stored_points() + rules["per_purchase"]
    kv.set(Scope.CONTACT, "points", str(points).encode(), None)
    expiry = business.now() + rules["expire_days"] * DAY
    effects.set_timer("expiry", expiry, str(points))
    effects.tag("customer", None)
    say(rules["thanks"], points)
    effects.because(f"a purchase: +{rules['per_purchase']}, now {points}")
    return Verdict.CONTINUE


def on_expiry(timer: Timer) -> Verdict:
    kv.delete(Scope.CONTACT, "points")
    effects.untag("customer")
    effects.note(f"{timer.payload} points expired")
    effects.because("points expired")
    return Verdict.CONTINUE


def stored_points() -> int:
    stored = kv.get(Scope.CONTACT, "points")
    if stored is None:
        return 0
    text = stored.decode(errors="replace")
    if not re.fullmatch("[0-9]{1,15}", text):
        raise Err(f"the stored points are not a number: {text}")
    return int(text)


def say(text: str, points: int) -> None:
    effects.reply(Outgoing_Text(text.replace("{points}", str(points))))


def check(given) -> list[tuple[str, str]]:
    """Every problem of the rules: where, as a JSON pointer, and what."""
    if not isinstance(given, dict):
        return [("", "must be a table")]
    problems = []
    for key, value in given.items():
        path = "/" + key.replace("~", "~0").replace("/", "~1")
        match key:
            case "per_purchase":
                if not is_whole(value) or value < 1:
                    problems.append((path, "must be a whole number of at least 1"))
                else:
                    given[key] = int(value)
            case "expire_days":
                if not is_whole(value) or not 1 <= value <= 3650:
                    problems.append((path, "must be a whole number from 1 to 3650"))
                else:
                    given[key] = int(value)
            case "ask":
                problems += check_ask(value)
            case "answer" | "thanks":
                if not isinstance(value, str) or "{points}" not in value:
                    problems.append((path, "must be a text that contains {points}"))
            case _:
                known = ", ".join(sorted(DEFAULTS))
                problems.append((path, f"is not known; known are {known}"))
    return problems


def check_ask(value) -> list[tuple[str, str]]:
    if not isinstance(value, list) or not value:
        return [("/ask", "must be a list of at least one text")]
    return [
        (f"/ask/{place}", "must be a text that is not empty")
        for place, words in enumerate(value)
        if not isinstance(words, str) or words == ""
    ]


def is_whole(value) -> bool:
    # In Python, True is an int too.
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
