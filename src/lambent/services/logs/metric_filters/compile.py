"""A metric filter made ready to be asked about one event after another."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from lambent.model.metric_filter import MetricFilter
from lambent.services.logs.filter_pattern import FilterPattern, InvalidFilterPatternError, parse
from lambent.services.logs.filter_pattern.delimited import DelimitedPattern
from lambent.services.logs.filter_pattern.json_pattern import JsonPattern
from lambent.services.logs.filter_pattern.operand import as_number, as_text
from lambent.services.logs.filter_pattern.selector import Selector

Fields = Callable[[str], Any]
"""What a matching message holds, by a selector of the transformation: a text, a number, or None."""


class InvalidTransformationError(ValueError):
    """The transformation does not go with the pattern; the message says how."""


@dataclass(frozen=True, slots=True)
class Measurement:
    value: float
    dimensions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CompiledFilter:
    """`literal` is None where the value is in the event."""

    filter: MetricFilter
    pattern: FilterPattern
    literal: float | None
    selectors: Mapping[str, Selector]

    def measure(self, message: str) -> Measurement | None:
        """Of a message that matches. None where the value is no number, or a dimension has none."""
        transformation = self.filter.transformation
        if self.literal is not None and not transformation.dimensions:
            return Measurement(self.literal, {})
        fields = self._fields(message)
        value = self.literal
        if value is None:
            found = _number(fields(transformation.metric_value))
            if found is None:
                return None
            value = found
        dimensions = {}
        for name, selector in transformation.dimensions.items():
            text = fields(selector)
            if text is None or as_text(text) == "":
                return None
            dimensions[name] = as_text(text)
        return Measurement(value, dimensions)

    def _fields(self, message: str) -> Fields:
        if not self.selectors:
            return self.pattern.extract(message).get
        document = orjson.loads(message)  # it has matched, so it is JSON
        return lambda text: next(_values(self.selectors[text].select(document)), None)


def compile_filter(filter: MetricFilter) -> CompiledFilter:
    """Raises InvalidFilterPatternError, InvalidTransformationError."""
    transformation = filter.transformation
    pattern = parse(filter.pattern)
    literal = _number(transformation.metric_value)
    asked = [*transformation.dimensions.values()]
    if asked and not isinstance(pattern, JsonPattern | DelimitedPattern):
        raise InvalidTransformationError("The specified filter pattern does not support dimensions")
    if literal is None:
        asked.append(transformation.metric_value)
    selectors = {}
    for text in asked:
        if isinstance(pattern, JsonPattern) and text.startswith("$."):
            selectors[text] = _selector(text)
        elif not isinstance(pattern, DelimitedPattern) or not _has_field(pattern, text):
            raise InvalidTransformationError(
                f"Invalid metric transformation: '{text}' is neither a number nor a field of the filter pattern"
            )
    return CompiledFilter(filter, pattern, literal, selectors)


def _selector(text: str) -> Selector:
    try:
        return Selector.parse(text)
    except InvalidFilterPatternError as error:
        raise InvalidTransformationError(f"Invalid metric transformation: {error}") from None


def _has_field(pattern: DelimitedPattern, text: str) -> bool:
    """Fields without a name go by their position."""
    fields = (*pattern.before, *(pattern.after or ()))
    if text[1:].isdecimal():
        return text.startswith("$") and (pattern.after is not None or 1 <= int(text[1:]) <= len(fields))
    return text in {f"${field.name}" for field in fields if field.name}


def _values(nodes: Iterator[Any]) -> Iterator[Any]:
    return (node for node in nodes if isinstance(node, str | int | float))


def _number(value: Any) -> float | None:
    found = None if value is None else as_number(value)
    return None if found is None or not math.isfinite(found) else float(found)
