"""Reading log events in order from the batches that overlap a range of time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import merge

from lambent.store.log_batches import events_of, in_order
from lambent.store.ports.logs import LogEvent
from lambent.store.sql.database import Connection
from lambent.store.sql.queries import queries

_SQL = queries("logs")
_EARLIEST_MS, _LATEST_MS = -(2**62), 2**62
_Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Range:
    """Events with start_ms <= timestamp < end_ms that are strictly between two positions (timestamp, id)."""

    start_ms: int
    end_ms: int
    after: _Position | None
    before: _Position | None

    @classmethod
    def of(
        cls, start_ms: int | None, end_ms: int | None, after: _Position | None, before: _Position | None
    ) -> "Range":
        """Takes what positions say of time into start and end, where the index can use it."""
        start = _EARLIEST_MS if start_ms is None else start_ms
        end = _LATEST_MS if end_ms is None else end_ms
        if after is not None:
            start = max(start, after[0])
        if before is not None:
            end = min(end, before[0] + 1)
        return cls(_clamp(start), _clamp(end), after, before)

    def since(self, start_ms: int) -> "Range":
        return replace(self, start_ms=max(self.start_ms, start_ms))

    def __contains__(self, event: LogEvent) -> bool:
        position = (event.timestamp_ms, event.id)
        return (
            self.start_ms <= event.timestamp_ms < self.end_ms
            and (self.after is None or position > self.after)
            and (self.before is None or position < self.before)
        )


def read_events(
    connection: Connection,
    group_id: int,
    streams: Sequence[str] | None,
    wanted: Range,
    *,
    span_ms: int,
    descending: bool,
    limit: int,
) -> list[LogEvent]:
    """At most `limit` events of a group, or of some of its streams; no batch of the group spans more than
    `span_ms`."""

    def load(batch_id: int) -> Iterator[LogEvent]:
        row = connection.execute(_SQL["load_batch"], (batch_id,)).fetchone()
        if row is None:  # its stream was deleted, and it waits to be
            return
        stream, blob = row
        yield from (event for event in events_of(batch_id, blob, stream) if event in wanted)

    if streams is None:
        found = _find(connection, ("group", group_id), wanted, span_ms, descending=descending)
    else:
        ids = [
            id
            for name in dict.fromkeys(streams)
            for (id,) in connection.execute(_SQL["find_stream"], {"group_id": group_id, "name": name})
        ]
        cursors = [_find(connection, ("stream", id), wanted, span_ms, descending=descending) for id in ids]
        found = merge(*cursors, key=lambda batch: batch[0], reverse=descending)
    return in_order(found, load, span_ms=span_ms, descending=descending, limit=limit)


def _find(
    connection: Connection, scope: tuple[str, int], wanted: Range, span_ms: int, *, descending: bool
) -> Iterator[tuple[int, int]]:
    """(first_ms, id) of the batches that may hold what is wanted; lazily, since a page seldom needs all."""
    kind, scope_id = scope
    statement = f"batches_of_{kind}_descending" if descending else f"batches_of_{kind}"
    row = {
        "scope_id": scope_id,
        "earliest_ms": wanted.start_ms - span_ms,
        "start_ms": wanted.start_ms,
        "end_ms": wanted.end_ms,
    }
    return connection.stream(_SQL[statement], row)


def _clamp(time_ms: int) -> int:
    """Callers may send any 64-bit number; the sums we make with it must stay in the engine's."""
    return max(_EARLIEST_MS, min(_LATEST_MS, time_ms))
