"""What an InputTemplate and the dynamic parameters of a pipe say of an event. Pure.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from lambent.model.input_template import filled
from lambent.model.json_path import MISSING, look_up, parse_path

_PLACEHOLDER = re.compile(r"<(\$[^<>]*|aws\.pipes\.[a-z.\-]+)>")
_EVENT = "aws.pipes.event"
_EVENT_JSON = "aws.pipes.event.json"


@dataclass(frozen=True, slots=True)
class Event:
    """`decoded` is what paths lead into: a message with the JSON of its body, where that is such."""

    whole: Any
    decoded: Any

    @classmethod
    def of_message(cls, record: Mapping[str, Any]) -> "Event":
        try:
            body = orjson.loads(record["body"])
        except orjson.JSONDecodeError:
            return cls(record, record)
        return cls(record, {**record, "body": body})


def transformed(template: str, event: Event, variables: Mapping[str, str]) -> str:
    """`variables` are by their names without aws.pipes. Raises InvalidInputError."""

    def value(name: str) -> Any:
        if name.startswith("$"):
            return look_up(event.decoded, parse_path(name))
        if name == _EVENT:
            return event.whole
        if name == _EVENT_JSON:
            return event.decoded
        return variables.get(name.removeprefix("aws.pipes."), MISSING)

    return filled(template, _PLACEHOLDER, value)


def as_text(template: str | None, made: str) -> str:
    """For a target that takes texts: what a template is that is nothing but one placeholder, where that is a text."""
    if template is None or _PLACEHOLDER.fullmatch(template.strip()) is None or not made.startswith('"'):
        return made
    return str(orjson.loads(made))
