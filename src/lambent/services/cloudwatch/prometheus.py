"""The text format of Prometheus.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from lambent.services.cloudwatch.families import Family, Labels, Reading

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(families: Iterable[Family], readings: Sequence[Reading] = ()) -> str:
    """Readings of one name must follow each other."""
    lines: list[str] = []
    for family in families:
        lines += _counter(family) if family.is_counter else _summary(family)
    for name, group in groupby(readings, key=lambda reading: reading.name):
        series = list(group)
        lines += _head(name, series[0].says, "counter" if series[0].monotonic else "gauge")
        lines += [_sample(name, reading.labels, reading.value) for reading in series]
    return "\n".join(lines) + "\n"


def _counter(family: Family) -> Iterator[str]:
    name = f"{family.name}_total"
    yield from _head(name, family.says, "counter")
    for labels, tally in family.series.items():
        yield _sample(name, labels, tally.sum)


def _summary(family: Family) -> Iterator[str]:
    yield from _head(family.name, family.says, "summary")
    for labels, tally in family.series.items():
        yield _sample(f"{family.name}_sum", labels, tally.sum)
        yield _sample(f"{family.name}_count", labels, tally.count)


def _head(name: str, says: str, kind: str) -> list[str]:
    escaped = says.replace("\\", r"\\").replace("\n", r"\n")
    return [f"# HELP {name} {escaped}", f"# TYPE {name} {kind}"]


def _sample(name: str, labels: Labels, value: float) -> str:
    inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    return f"{name}{{{inside}}} {value!r}" if inside else f"{name} {value!r}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
