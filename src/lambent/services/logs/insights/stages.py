"""The stages of a query. Each takes a record and hands on what becomes of it; `end` comes once, after the last one."""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from lambent.services.logs.insights.aggregates import Accumulator
from lambent.services.logs.insights.errors import QueryFailedError
from lambent.services.logs.insights.evaluation import Evaluate
from lambent.services.logs.insights.record import Record
from lambent.services.logs.insights.values import Value, order, text, truth

GROUPS_MOST = 100_000
_KEYS_MOST = 1_000_000


class Stage(Protocol):
    def take(self, record: Record) -> bool:
        """False when nothing that could still come is wanted."""
        ...

    def end(self) -> bool: ...


@dataclass(slots=True)
class Naming:
    """Values that get a name: `fields`, `display`, `parse`."""

    name: Callable[[Record], Iterable[tuple[str, Value]]]
    next: Stage

    def take(self, record: Record) -> bool:
        record.values.update((name, value) for name, value in self.name(record) if value is not None)
        return self.next.take(record)

    def end(self) -> bool:
        return self.next.end()


@dataclass(slots=True)
class Filtering:
    condition: Evaluate
    next: Stage

    def take(self, record: Record) -> bool:
        return self.next.take(record) if truth(self.condition(record)) else True

    def end(self) -> bool:
        return self.next.end()


@dataclass(slots=True)
class Counting:
    """How many records matched: behind the filters, before what gathers them."""

    next: Stage
    count: int = 0

    def take(self, record: Record) -> bool:
        self.count += 1
        return self.next.take(record)

    def end(self) -> bool:
        return self.next.end()


@dataclass(slots=True)
class Limiting:
    """`early` is of `limit any`: of any other limit, all is looked at and counted."""

    most: int
    next: Stage
    early: bool = False
    taken: int = 0

    def take(self, record: Record) -> bool:
        if self.taken < self.most:
            self.taken += 1
            wanted = self.next.take(record)
            if not wanted:
                return False
        return not self.early or self.taken < self.most

    def end(self) -> bool:
        return self.next.end()


@dataclass(slots=True)
class Unlike:
    """Leaves out records whose fields are all those of an earlier one; one that lacks a field is like none."""

    fields: Sequence[str]
    next: Stage
    seen: set[tuple[str | None, ...]] = field(default_factory=set)

    def take(self, record: Record) -> bool:
        key = tuple(text(record.get(field)) for field in self.fields)
        if None not in key:
            if key in self.seen:
                return True
            self.seen.add(key)
            if len(self.seen) > _KEYS_MOST:
                raise QueryFailedError(f"dedup finds more than {_KEYS_MOST:,} different records")
        return self.next.take(record)

    def end(self) -> bool:
        return self.next.end()


class _Reversed:
    """Sorts the other way round."""

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key

    def __lt__(self, other: "_Reversed") -> bool:
        return bool(other.key < self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and self.key == other.key

    __hash__ = None  # type: ignore[assignment]


class Sorting:
    """Keeps the first `most` in a heap whose top is the last of them."""

    def __init__(self, keys: Sequence[tuple[str, bool]], most: int, next: Stage) -> None:
        self._keys = keys
        self._most = most
        self._next = next
        self._heap: list[tuple[_Reversed, Record]] = []
        self._numbers = count()

    def take(self, record: Record) -> bool:
        entry = (_Reversed((*self._key(record), next(self._numbers))), record)
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, entry)
        elif self._heap[0][0] < entry[0]:
            heapq.heapreplace(self._heap, entry)
        return True

    def end(self) -> bool:
        for _, record in sorted(self._heap, key=lambda entry: entry[0], reverse=True):
            if not self._next.take(record):
                break
        self._heap.clear()
        return self._next.end()

    def _key(self, record: Record) -> tuple[Any, ...]:
        return tuple(
            _Reversed(order(record.get(field))) if descending else order(record.get(field))
            for field, descending in self._keys
        )


@dataclass(frozen=True, slots=True)
class Measure:
    """One aggregate function: what it is of, and what counts it."""

    name: str
    of: Evaluate
    make: Callable[[], Accumulator]


@dataclass(slots=True)
class Grouping:
    """`stats`. `columns` are computed of the measures' results, which have names that no query can write."""

    by: Sequence[tuple[str, Evaluate]]
    measures: Sequence[Measure]
    columns: Sequence[tuple[str, Evaluate]]
    next: Stage
    in_order: bool = False
    """Groups of times come in their order."""
    groups: dict[tuple[Value, ...], list[Accumulator]] = field(default_factory=dict)

    def take(self, record: Record) -> bool:
        key = tuple(of(record) for _, of in self.by)
        counts = self.groups.get(key)
        if counts is None:
            if len(self.groups) == GROUPS_MOST:
                raise QueryFailedError(f"stats makes more than {GROUPS_MOST:,} groups")
            counts = self.groups[key] = [measure.make() for measure in self.measures]
        time_ms = record.event.timestamp_ms if record.event is not None else 0
        for measure, counted in zip(self.measures, counts, strict=True):
            counted.add(measure.of(record), time_ms)
        return True

    def end(self) -> bool:
        if not self.by and not self.groups:
            self.groups[()] = [measure.make() for measure in self.measures]
        keys = list(self.groups)
        if self.in_order:
            keys.sort(key=lambda key: tuple(map(order, key)))
        for key in keys:
            if not self.next.take(self._row(key, self.groups.pop(key))):
                break
        return self.next.end()

    def _row(self, key: Sequence[Value], counts: Sequence[Accumulator]) -> Record:
        results = Record(
            None,
            {measure.name: counted.result() for measure, counted in zip(self.measures, counts, strict=True)},
        )
        named: Mapping[str, Value] = {name: of(results) for name, of in self.columns}
        grouped = {name: value for (name, _), value in zip(self.by, key, strict=True)}
        return Record(None, {**grouped, **named})


@dataclass(slots=True)
class Showing:
    """The last stage: rows as results have them."""

    columns: Sequence[str]
    pointers: bool
    rows: list[list[tuple[str, str]]]

    def take(self, record: Record) -> bool:
        row = [(name, shown) for name in self.columns if (shown := text(record.get(name))) is not None]
        if self.pointers and record.event is not None:
            row.append(("@ptr", record.event.ptr))
        self.rows.append(row)
        return True

    def end(self) -> bool:
        return True
