"""JSONPath as far as EventBridge and its pipes take it: $.detail.list[0].name, $['detail'], $.detail.list[*].name.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

_STEP = re.compile(r"""\.([^.\[\]'"\s]+)|\['([^']+)'\]|\["([^"]+)"\]|\[(\d+)\]|\[(\*)\]|\.(\*)""")

Step = str | int | None
"""A member, an element, or all elements."""
MISSING = object()


class InvalidPathError(Exception):
    """Not a path."""


def parse_path(text: str) -> Sequence[Step]:
    """Raises InvalidPathError."""
    if not text.startswith("$"):
        raise InvalidPathError(text)
    steps: list[Step] = []
    position = 1
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            raise InvalidPathError(text)
        dotted, single, double, index, *_ = found.groups()
        name = dotted or single or double
        steps.append(name if name and name != "*" else int(index) if index else None)
        position = found.end()
    return steps


def look_up(value: Any, steps: Sequence[Step]) -> Any:
    """What is there, a list where the path asks for all elements; MISSING where nothing is."""
    for position, step in enumerate(steps):
        if step is None:
            if not isinstance(value, list | dict):
                return MISSING
            inner = value if isinstance(value, list) else list(value.values())
            found = (look_up(each, steps[position + 1 :]) for each in inner)
            return [each for each in found if each is not MISSING]
        if isinstance(step, str):
            value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
        else:
            value = value[step] if isinstance(value, list) and step < len(value) else MISSING
        if value is MISSING:
            return MISSING
    return value


def resolved(parameters: Any, event: Any) -> Any:
    """Parameters of a target, in which a text may be a path ($.detail.id) as a whole: with what is there, as a text, or
    without what has nothing there."""
    if isinstance(parameters, dict):
        made = {name: resolved(value, event) for name, value in parameters.items()}
        return {name: value for name, value in made.items() if value is not None}
    if isinstance(parameters, list):
        return [value for each in parameters if (value := resolved(each, event)) is not None]
    if not isinstance(parameters, str) or not parameters.startswith("$"):
        return parameters
    found = look_up(event, parse_path(parameters))
    if found is MISSING or found is None:
        return None
    return found if isinstance(found, str) else orjson.dumps(found).decode()


def dynamic(parameters: Any) -> Iterator[str]:
    """The texts of parameters that should be paths."""
    if isinstance(parameters, dict | list):
        for each in parameters.values() if isinstance(parameters, dict) else parameters:
            yield from dynamic(each)
    elif isinstance(parameters, str) and parameters.startswith("$"):
        yield parameters
