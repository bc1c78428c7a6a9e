"""Answers a greeting."""

import json

# The host's contract: made by `switchboard plugin build`, read it in
# .switchboard/python/wit_world.
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.guest import Verdict
from wit_world.imports import effects
from wit_world.imports.types import (
    Content_Text,
    Descriptor,
    Event,
    Event_Message,
    Outgoing_Text,
    Problem,
)

DEFAULTS = {"ask": "hello", "say": "Hello! What can I do for you?"}

# Set once by `configure`. What matters between two events belongs into the
# key-value store (`kv`), not into memory.
rules = DEFAULTS


class Guest(exports.Guest):
    """What the host calls."""

    def describe(self) -> Descriptor:
        return Descriptor(
            name="{{name}}",
            version="0.1.0",
            summary="Answers a greeting",
            rules_schema=None,
            events=["message"],
            wants=[],
        )

    def configure(self, rules_json: str) -> None:
        global rules
        given = DEFAULTS | json.loads(rules_json)
        problems = [
            Problem(f"/{key}", "must be a text that is not empty")
            for key in sorted(DEFAULTS)
            if not isinstance(given[key], str) or given[key] == ""
        ]
        if problems:
            # `Err` is how a function of the contract fails.
            raise Err(problems)
        rules = given

    def handle(self, event: Event) -> Verdict:
        match event:
            case Event_Message(message):
                match message.content:
                    case Content_Text(text):
                        return on_text(text)
        return Verdict.CONTINUE


def on_text(text: str) -> Verdict:
    if rules["ask"].lower() not in text.lower():
        return Verdict.CONTINUE
    effects.reply(Outgoing_Text(rules["say"]))
    effects.because(f"`{rules['ask']}` was said")
    return Verdict.STOP
