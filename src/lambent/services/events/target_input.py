"""What a target is given: the event, a part of it, a constant, or a template filled from it. Pure.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from lambent.services.events.event import Event, time_text
from lambent.services.events.json_path import MISSING, InvalidPathError, look_up, parse_path

_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_PREDEFINED = "aws.events."
_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')
_ORIGINAL = ("id", "account", "detail-type", "time", "source", "region", "resources", "version")


class InvalidInputError(Exception):
    """A target's input cannot be made. The message is AWS's, with {id} for the target's id."""


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
    """Raises InvalidInputError."""
    given = [target.get(name) for name in ("Input", "InputPath", "InputTransformer")]
    if sum(each is not None for each in given) > 1:
        raise InvalidInputError(
            "Only one of Input, InputPath, or InputTransformer must be provided for target {id}."
        )
    text, path, transformer = given
    if text is not None:
        _require_json(str(text), "JSON syntax error in Input for target {id}.")
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
    if _is_json(template):
        filled = "".join(_fill(template, lambda name, quoted: "x" if quoted else "0"))
        _require_json(filled, "Invalid InputTemplate for target {id} : the template is not valid JSON.")


def _transformed(transformer: Mapping[str, Any], event: Event, rule_arn: str, rule: str, now: float) -> bytes:
    """Values in quotes are not escaped: of a JSON template they may make what is none. Objects and arrays lose their
    quotes within a string."""
    paths, template = transformer.get("InputPathsMap") or {}, transformer["InputTemplate"]
    is_json = _is_json(template)

    predefined = {
        "rule-arn": rule_arn,
        "rule-name": rule,
        "event.ingestion-time": time_text(now),
        "event.json": event.members,
        "event": {_member(each): event.members[each] for each in _ORIGINAL},
    }

    def text(name: str, quoted: bool) -> str:
        if name in paths:
            found = look_up(event.members, parse_path(paths[name]))
        else:
            found = predefined.get(name.removeprefix(_PREDEFINED), MISSING)
        if found is MISSING:
            return "" if quoted else '""'
        if quoted and isinstance(found, str):
            return found
        encoded = orjson.dumps(found).decode()
        return encoded if is_json or not quoted else encoded.replace('"', "")

    filled = "".join(_fill(template, text))
    if not is_json:
        return filled.encode()
    _require_json(filled, "The input that was made of the event is not valid JSON.")
    return _SPACE.sub(r"\1", filled).encode()


def _is_json(template: str) -> bool:
    return template.lstrip().startswith(("{", "["))


def _member(name: str) -> str:
    """In <aws.events.event> AWS spells it so."""
    return "detailType" if name == "detail-type" else name


def _fill(template: str, value: Callable[[str, bool], str]) -> Iterator[str]:
    """The template's pieces; `value` is asked for each placeholder, and told whether it stands within quotes."""
    quoted, position = False, 0
    for found in _PLACEHOLDER.finditer(template):
        between = template[position : found.start()]
        quoted ^= len(re.findall(r'(?<!\\)(?:\\\\)*"', between)) % 2 == 1
        yield between
        yield value(found[1], quoted)
        position = found.end()
    yield template[position:]


def _require_json(text: str, refusal: str) -> None:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidInputError(refusal) from None


def _require_path(text: str, refusal: str) -> None:
    try:
        parse_path(text)
    except InvalidPathError:
        raise InvalidInputError(refusal) from None
