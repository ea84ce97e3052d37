"""An event as patterns see it: values by dotted paths, and arrays of objects apart."""

from collections.abc import Mapping
from typing import Any

_ARRAYS_DEEPEST = 50
"""Arrays within arrays, beyond which it does not count any more which element a value is in."""


class Fields:
    """The event itself, or one element of an array.

    `values` has the leaves by path, those of arrays of plain values among them. `arrays` has the other
    arrays, each as its elements, whose paths go on from the event's top. Not changed once it is read.
    """

    __slots__ = ("_inside", "arrays", "values")

    def __init__(self) -> None:
        self.values: dict[str, list[Any]] = {}
        self.arrays: list[list[Fields]] = []
        self._inside: list[frozenset[str]] | None = None

    def inside(self) -> list[frozenset[str]]:
        """For each of `arrays`, the paths that occur in any of its elements, at any depth."""
        if self._inside is None:
            self._inside = [
                frozenset(path for element in array for path in element.paths()) for array in self.arrays
            ]
        return self._inside

    def paths(self) -> frozenset[str]:
        return frozenset(self.values).union(*self.inside())


def read_event(event: Mapping[str, Any]) -> Fields:
    """`event` is decoded JSON. Without recursion: how deep it goes is up to whoever sent it."""
    top = Fields()
    remaining: list[tuple[str, Any, Fields, int]] = [("", event, top, 0)]
    while remaining:
        path, value, fields, arrays = remaining.pop()
        if isinstance(value, Mapping):
            for name, member in value.items():
                remaining.append((f"{path}.{name}" if path else name, member, fields, arrays))
        elif isinstance(value, list):
            if arrays < _ARRAYS_DEEPEST and any(isinstance(element, (Mapping, list)) for element in value):
                elements = [Fields() for _ in value]
                fields.arrays.append(elements)
            else:
                elements = [fields] * len(value)
            remaining += [(path, *pair, arrays + 1) for pair in zip(value, elements, strict=True)]
        else:
            fields.values.setdefault(path, []).append(value)
    return _innermost_first(top)


def _innermost_first(top: Fields) -> Fields:
    """Has `inside` worked out from below, so that it does not recurse either."""
    found = [top]
    for fields in found:
        for array in fields.arrays:
            found.extend(array)
    for fields in reversed(found):
        fields.inside()
    return top
