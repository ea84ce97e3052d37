"""A compiled pattern, and whether an event matches it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from lambent.model.event_pattern.event import Fields, read_event

Test = Callable[[Any], bool]
"""Whether a value that is there is as it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What is said of one path: any of the tests holds, or nothing is there where `absent` ({"exists": false})."""

    path: str
    plain: frozenset[str]
    """Strings that are wanted literally: most of all tests, and all of them in one look-up."""
    tests: tuple[Test, ...]
    absent: bool

    def holds(self, values: Sequence[Any]) -> bool:
        for value in values:
            if type(value) is str and value in self.plain:
                return True
            for test in self.tests:
                if test(value):
                    return True
        return False


Branch = tuple[Field, ...]
"""Fields that must all match; every alternative of `$or` makes a branch."""


@dataclass(frozen=True, slots=True)
class Pattern:
    text: str
    branches: tuple[Branch, ...]

    def matches(self, event: Mapping[str, Any]) -> bool:
        """`event` is decoded JSON: an object."""
        return self.matches_fields(read_event(event))

    def matches_fields(self, fields: Fields) -> bool:
        return any(_match(branch, fields) is not _Match.NONE for branch in self.branches)


class _Match(Enum):
    NONE = 0
    ABSENT = 1
    """All that is said of this object is that something is not there, and it is not."""
    FOUND = 2


def _match(branch: Sequence[Field], fields: Fields) -> _Match:
    match, inside = _Match.ABSENT, []
    for field in branch:
        values = fields.values.get(field.path)
        if values is not None and field.holds(values):
            match = _Match.FOUND
        elif fields.arrays and any(field.path in paths for paths in fields.inside()):
            inside.append(field)
        elif values is not None or not field.absent:
            return _Match.NONE
    if not inside:
        return match
    return _Match.FOUND if _match_elements(inside, fields) else _Match.NONE


def _match_elements(remaining: list[Field], fields: Fields) -> bool:
    """All fields that reach into one array must match in the same element. That something is absent is only true of an
    element in which something else was found: else it must be absent from the whole array."""
    for elements, paths in zip(fields.arrays, fields.inside(), strict=True):
        mine = [field for field in remaining if field.path in paths]
        if mine and any(_match(mine, element) is _Match.FOUND for element in elements):
            remaining = [field for field in remaining if field not in mine]
    return not remaining
