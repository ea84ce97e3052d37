"""CloudWatch Logs: groups, streams, events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroup:
    """Times are epoch milliseconds, as everywhere in CloudWatch Logs. `retention_days` None keeps events for ever."""

    account_id: str
    region: str
    name: str
    created_ms: int
    retention_days: int | None = None
    kms_key_id: str | None = None
    log_group_class: str = "STANDARD"
    stored_bytes: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStream:
    group: str
    name: str
    created_ms: int
    first_event_ms: int | None = None
    last_event_ms: int | None = None
    last_ingestion_ms: int | None = None
    stored_bytes: int = 0


@dataclass(slots=True)
class LogEvent:
    """`id` orders events of a group that share a timestamp, and is unique: eventId and tokens are made of it.

    Not frozen: they are made by the thousand, and a frozen one costs four times as much."""

    timestamp_ms: int
    ingestion_ms: int
    message: str
    stream: str = ""
    id: int = 0


LogBatch = tuple[str, str, str, str, Sequence[LogEvent]]
"""account, region, group, stream, events"""


class LogStore(Protocol):
    """Events are appended in batches, one batch one row, because a function's log is written often and read seldom."""

    async def insert_group(self, group: LogGroup) -> None:
        """Raises AlreadyExistsError."""
        ...

    async def get_group(self, account_id: str, region: str, name: str) -> LogGroup | None: ...

    async def replace_group(self, group: LogGroup) -> None:
        """Changes its retention, key, class and tags. Raises NotFoundError."""
        ...

    async def delete_group(self, account_id: str, region: str, name: str) -> None:
        """With its streams and events. Raises NotFoundError."""
        ...

    async def page_groups(
        self, account_id: str, region: str, *, prefix: str, pattern: str, after: str | None, limit: int
    ) -> Sequence[LogGroup]:
        """By name. `pattern` is a case-sensitive substring; prefix and pattern may be empty."""
        ...

    async def insert_stream(
        self, account_id: str, region: str, group: str, name: str, created_ms: int
    ) -> None:
        """Raises NotFoundError (the group), AlreadyExistsError."""
        ...

    async def get_stream(self, account_id: str, region: str, group: str, name: str) -> LogStream | None: ...

    async def delete_stream(self, account_id: str, region: str, group: str, name: str) -> None:
        """Raises NotFoundError."""
        ...

    async def page_streams(
        self,
        account_id: str,
        region: str,
        group: str,
        *,
        prefix: str,
        by_last_event: bool,
        descending: bool,
        after: tuple[int, str] | None,
        limit: int,
    ) -> Sequence[LogStream]:
        """By name, or by (last event time, name). `after` is the last entry's (last_event_ms or 0, name)."""
        ...

    async def append(
        self,
        account_id: str,
        region: str,
        group: str,
        stream: str,
        events: Sequence[LogEvent],
        *,
        create: bool,
    ) -> None:
        """Appends one batch. With `create`, makes the group and stream that are missing (what Lambda does for its
        functions). Raises NotFoundError otherwise."""
        ...

    async def append_many(self, batches: Sequence[LogBatch]) -> None:
        """Many batches (account, region, group, stream, events) in one step, creating what is missing."""
        ...

    async def read(
        self,
        account_id: str,
        region: str,
        group: str,
        *,
        streams: Sequence[str] | None,
        start_ms: int | None,
        end_ms: int | None,
        after: tuple[int, int] | None,
        before: tuple[int, int] | None,
        descending: bool,
        limit: int,
    ) -> Sequence[LogEvent]:
        """Events with start_ms <= timestamp < end_ms of all streams or of some, ordered by (timestamp, id), strictly
        after / before the given position, at most `limit`."""
        ...

    async def expire(self, now_ms: int) -> int:
        """Deletes what retention has outlived. Returns how many batches went."""
        ...
