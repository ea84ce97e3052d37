"""Which of many patterns may match an event, without asking each.

Most patterns want one of a few strings somewhere: a source, a detail-type, a bucket's name. A node takes the path about
which most of its patterns say that, and sorts them by the strings they want; what an event has there leads to the
few that remain. The index may name a pattern that does not match, never pass over one that does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from lambent.model.event_pattern import Fields, Pattern

_FEW = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    """A pattern, and the strings that it wants by path. `order` is its place among all."""

    order: int
    pattern: Pattern
    value: T
    wanted: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Node(Generic[T]):
    """`path` is None at a leaf, whose entries are all in `rest`; else `rest` are those that say nothing of the path."""

    path: str | None
    by_value: "Mapping[str, _Node[T]]"
    rest: "Sequence[_Entry[T]] | _Node[T]"


class RuleIndex(Generic[T]):
    """Patterns, each with a value: `matching` has the values of those that match, in their order."""

    def __init__(self, patterns: Iterable[tuple[Pattern, T]]) -> None:
        entries = [
            _Entry(order, pattern, value, _wanted(pattern)) for order, (pattern, value) in enumerate(patterns)
        ]
        self._top = _node(entries, frozenset())

    def matching(self, fields: Fields) -> list[T]:
        found: dict[int, T] = {}
        remaining: list[_Node[T] | Sequence[_Entry[T]]] = [self._top]
        while remaining:
            node = remaining.pop()
            if isinstance(node, _Node):
                remaining.extend(_ways(node, fields))
                continue
            for entry in node:
                if entry.order not in found and entry.pattern.matches_fields(fields):
                    found[entry.order] = entry.value
        return [found[order] for order in sorted(found)]


def _ways(node: _Node[T], fields: Fields) -> list[_Node[T] | Sequence[_Entry[T]]]:
    ways: list[_Node[T] | Sequence[_Entry[T]]] = [node.rest]
    if node.path is None:
        return ways
    if any(node.path in paths for paths in fields.inside()):
        ways.extend(node.by_value.values())  # within an array of objects: let the patterns themselves look
    else:
        values = fields.values.get(node.path, ())
        ways.extend(
            node.by_value[value] for value in values if isinstance(value, str) and value in node.by_value
        )
    return ways


def _node(entries: Sequence[_Entry[T]], used: frozenset[str]) -> _Node[T]:
    path = _most_telling(entries, used) if len(entries) > _FEW else None
    if path is None:
        return _Node(None, {}, entries)
    by_value: dict[str, list[_Entry[T]]] = {}
    rest: list[_Entry[T]] = []
    for entry in entries:
        for value in entry.wanted.get(path, ()):
            by_value.setdefault(value, []).append(entry)
        if path not in entry.wanted:
            rest.append(entry)
    used |= {path}
    return _Node(path, {value: _node(some, used) for value, some in by_value.items()}, _node(rest, used))


def _most_telling(entries: Sequence[_Entry[T]], used: frozenset[str]) -> str | None:
    """The path whose values divide the entries into the most parts; None where none divides them."""
    values: dict[str, set[str]] = {}
    for entry in entries:
        for path, wanted in entry.wanted.items():
            if path not in used:
                values.setdefault(path, set()).update(wanted)
    parts = {path: len(wanted) for path, wanted in values.items()}
    best = max(parts, key=lambda path: parts[path], default=None)
    return best if best is not None and (parts[best] > 1 or _some_silent(entries, best)) else None


def _some_silent(entries: Sequence[_Entry[T]], path: str) -> bool:
    return any(path not in entry.wanted for entry in entries)


def _wanted(pattern: Pattern) -> Mapping[str, frozenset[str]]:
    """The paths of which every branch wants plain strings and nothing else."""
    wanted: dict[str, frozenset[str]] = {}
    for number, branch in enumerate(pattern.branches):
        plain = {
            field.path: field.plain for field in branch if field.plain and not (field.tests or field.absent)
        }
        if number == 0:
            wanted = plain
        else:
            wanted = {path: strings | plain[path] for path, strings in wanted.items() if path in plain}
    return wanted
