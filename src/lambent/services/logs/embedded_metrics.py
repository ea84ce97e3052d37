"""The Embedded Metric Format: measurements inside log events, pure functions from a message to what it measures.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import orjson

_DIRECTIVES_MOST = 100
_METRICS_MOST = 100
_VALUES_MOST = 100
_DIMENSIONS_MOST = 30
_NAME_MOST = 1024
_NAMESPACE_MOST = 256
_UNITS = frozenset(
    ["Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"]
    + [
        f"{size}{what}{rate}"
        for size, what in [("", "Bytes"), ("", "Bits")]
        + [(size, what) for size in ("Kilo", "Mega", "Giga", "Tera") for what in ("bytes", "bits")]
        for rate in ("", "/Second")
    ]
)


@dataclass(frozen=True, slots=True)
class EmbeddedMetric:
    """`dimensions` holds one mapping for each metric that the values are for."""

    namespace: str
    name: str
    unit: str
    values: Sequence[float]
    dimensions: Sequence[Mapping[str, str]]


@dataclass(slots=True)
class Embedded:
    """`timestamp_ms` is None where the message has none. Definitions that break the rules are counted and left out."""

    timestamp_ms: int | None = None
    metrics: list[EmbeddedMetric] = field(default_factory=list)
    parsing_errors: int = 0
    validation_errors: int = 0


class _InvalidError(Exception):
    """A definition breaks the rules of the format."""


def may_have_metrics(message: str) -> bool:
    """Cheap, and never wrong about a message that has some."""
    return '"_aws"' in message and '"CloudWatchMetrics"' in message


def embedded(message: str) -> Embedded | None:
    """What a message measures; None where it is not of this format at all."""
    if not message.lstrip().startswith("{"):
        return None
    try:
        root = orjson.loads(message)
    except ValueError:
        return Embedded(parsing_errors=1)
    metadata = root.get("_aws")
    if not isinstance(metadata, dict) or "CloudWatchMetrics" not in metadata:
        return None
    directives = metadata["CloudWatchMetrics"]
    timestamp = metadata.get("Timestamp")
    found = Embedded()
    if _is_number(timestamp):
        found.timestamp_ms = int(timestamp)
    if not isinstance(directives, list) or len(directives) > _DIRECTIVES_MOST:
        found.validation_errors = 1
        return found
    for directive in directives:
        try:
            _read_directive(directive, root, found)
        except _InvalidError:
            found.validation_errors += 1
    return found


def _read_directive(directive: Any, root: dict[str, Any], found: Embedded) -> None:
    if not isinstance(directive, dict):
        raise _InvalidError
    namespace = _text(directive.get("Namespace"), most=_NAMESPACE_MOST)
    dimensions = list(_dimension_sets(directive.get("Dimensions"), root))
    definitions = directive.get("Metrics")
    if not isinstance(definitions, list) or len(definitions) > _METRICS_MOST:
        raise _InvalidError
    for definition in definitions:
        try:
            found.metrics.append(_metric(namespace, dimensions, definition, root))
        except _InvalidError:
            found.validation_errors += 1


def _dimension_sets(sets: Any, root: dict[str, Any]) -> Iterator[Mapping[str, str]]:
    if not isinstance(sets, list):
        raise _InvalidError
    if not sets:
        yield {}
    for names in sets:
        if not isinstance(names, list) or len(names) > _DIMENSIONS_MOST:
            raise _InvalidError
        yield {_text(name): _text(root.get(name), most=_NAME_MOST) for name in names}


def _metric(
    namespace: str, dimensions: Sequence[Mapping[str, str]], definition: Any, root: dict[str, Any]
) -> EmbeddedMetric:
    if not isinstance(definition, dict):
        raise _InvalidError
    name, unit = _text(definition.get("Name"), most=_NAME_MOST), definition.get("Unit", "None")
    if unit not in _UNITS or definition.get("StorageResolution", 60) not in (1, 60):
        raise _InvalidError
    target = root.get(name)
    values = target if isinstance(target, list) else [target]
    numbers = [float(value) for value in values if _is_number(value)]
    if not 1 <= len(values) <= _VALUES_MOST or len(numbers) < len(values):
        raise _InvalidError
    return EmbeddedMetric(namespace, name, unit, numbers, dimensions)


def _text(value: Any, *, most: int = 250) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise _InvalidError
    return value


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
