"""Which records a mapping wants. Pure.

A filter looks at a record as the function would see it, and into what its producer wrote (`data_member`). There, what
the filter says decides how it is read: an object in the pattern wants JSON, an array wants plain text, and a record
that is the other of the two matches no filter that says anything about it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lambent.event_sources.source import Record
from lambent.model.event_pattern import Pattern, parse_pattern

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class _Filter:
    pattern: Pattern
    wants_json: bool
    wants_text: bool


class Filters:
    """Of one mapping. Without any, every record is wanted; else one that any filter matches."""

    def __init__(self, patterns: Iterable[str], data_member: str) -> None:
        """The patterns have been accepted before: InvalidPatternError is a bug."""
        self._data_member = data_member
        self._filters = [_read(text, data_member) for text in patterns]

    def wants(self, record: Record) -> bool:
        if not self._filters:
            return True
        decoded = _decoded(record.data)
        as_json = None if decoded is _ABSENT else {**record.payload, self._data_member: decoded}
        as_text = {**record.payload, self._data_member: record.data} if as_json is None else None
        return any(self._matches(each, record, as_json, as_text) for each in self._filters)

    def _matches(
        self,
        each: _Filter,
        record: Record,
        as_json: Mapping[str, Any] | None,
        as_text: Mapping[str, Any] | None,
    ) -> bool:
        if not each.wants_json and not each.wants_text:
            return each.pattern.matches(record.payload)
        views = (as_json if each.wants_json else None, as_text if each.wants_text else None)
        return any(view is not None and each.pattern.matches(view) for view in views)


def _read(text: str, data_member: str) -> _Filter:
    said = list(_said_of(json.loads(text), data_member))
    return _Filter(
        parse_pattern(text),
        wants_json=any(isinstance(value, dict) for value in said),
        wants_text=any(isinstance(value, list) for value in said),
    )


def _said_of(pattern: Mapping[str, Any], member: str) -> Iterable[Any]:
    """What the pattern says of this member, in all its alternatives."""
    for name, value in pattern.items():
        if name == member:
            yield value
        elif name == "$or":
            for alternative in value:
                yield from _said_of(alternative, member)


def _decoded(data: str) -> Any:
    """The object or array that the text is. A number or a quoted string is text like any other."""
    try:
        value = json.loads(data) if data.lstrip()[:1] in ("{", "[") else _ABSENT
    except (ValueError, RecursionError):
        return _ABSENT
    return value
