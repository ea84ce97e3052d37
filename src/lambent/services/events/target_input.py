"""What a target is given: the event, a part of it, a constant, or a template filled from it. Pure.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from lambent.model.input_template import InvalidInputError, filled, makes_json, replaced, require_json
from lambent.model.json_path import MISSING, InvalidPathError, look_up, parse_path
from lambent.services.events.event import Event, time_text

_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_PREDEFINED = "aws.events."
_ORIGINAL = ("id", "account", "detail-type", "time", "source", "region", "resources", "version")


def target_input(target: Mapping[str, Any], event: Event, *, rule_arn: str, rule: str, now: float) -> bytes:
    """Raises InvalidInputError where what the event has does not fit into a template."""
    if (text := target.get("Input")) is not None:
        return str(text).encode()
    if (path := target.get("InputPath")) is not None:
        if path == "$":
            return event.text
        found = look_up(event.members, parse_path(path))
        return b"null" if found is MISSING else orjson.dumps(found)
    if (transformer := target.get("InputTransformer")) is not None:
        return _transformed(transformer, event, rule_arn, rule, now)
    return event.text


def check_input(target: Mapping[str, Any]) -> None:
    """Raises InvalidInputError. The message is AWS's, with {id} for the target's id."""
    given = [target.get(name) for name in ("Input", "InputPath", "InputTransformer")]
    if sum(each is not None for each in given) > 1:
        raise InvalidInputError(
            "Only one of Input, InputPath, or InputTransformer must be provided for target {id}."
        )
    text, path, transformer = given
    if text is not None:
        require_json(str(text), "JSON syntax error in Input for target {id}.")
    if path is not None:
        _require_path(path, "Invalid InputPath for target {id}.")
    if transformer is not None:
        _check_transformer(transformer)


def _check_transformer(transformer: Mapping[str, Any]) -> None:
    paths, template = transformer.get("InputPathsMap") or {}, transformer["InputTemplate"]
    for name, path in paths.items():
        if name.lower().startswith("aws"):
            raise InvalidInputError(f"InputPathsMap for target {{id}} contains reserved key {name}.")
        _require_path(path, f"Invalid JSON path for key {name} in InputPathsMap for target {{id}}.")
    for name in _PLACEHOLDER.findall(template):
        if name not in paths and not name.startswith(_PREDEFINED):
            raise InvalidInputError(f"InputTemplate for target {{id}} contains invalid placeholder {name}.")
    if makes_json(template):
        tried = replaced(template, _PLACEHOLDER, lambda name, quoted: "x" if quoted else "0")
        require_json(tried, "Invalid InputTemplate for target {id} : the template is not valid JSON.")


def _transformed(transformer: Mapping[str, Any], event: Event, rule_arn: str, rule: str, now: float) -> bytes:
    paths = transformer.get("InputPathsMap") or {}
    predefined = {
        "rule-arn": rule_arn,
        "rule-name": rule,
        "event.ingestion-time": time_text(now),
        "event.json": event.members,
        "event": {_member(each): event.members[each] for each in _ORIGINAL},
    }

    def value(name: str) -> Any:
        if name in paths:
            return look_up(event.members, parse_path(paths[name]))
        return predefined.get(name.removeprefix(_PREDEFINED), MISSING)

    return filled(transformer["InputTemplate"], _PLACEHOLDER, value).encode()


def _member(name: str) -> str:
    """In <aws.events.event> AWS spells it so."""
    return "detailType" if name == "detail-type" else name


def _require_path(text: str, refusal: str) -> None:
    try:
        parse_path(text)
    except InvalidPathError:
        raise InvalidInputError(refusal) from None
