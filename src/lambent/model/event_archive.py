"""Archives of events, what is in them, and their replays. Times are epoch seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ReplayState = Literal["STARTING", "RUNNING", "CANCELLING", "COMPLETED", "CANCELLED", "FAILED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """`id` is ours: archived events belong to it, and an archive of the same name that is made later has another.
    `retention_days` is 0 where events are kept for ever."""

    id: str
    account_id: str
    region: str
    name: str
    bus: str
    source_arn: str
    description: str | None = None
    event_pattern: str | None = None
    retention_days: int = 0
    state: str = "ENABLED"
    created_at: float

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:events:{self.region}:{self.account_id}:archive/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedEvent:
    """`number` is the store's, 0 before it is stored; `time` is the event's own."""

    number: int = 0
    archive_id: str
    time: float
    archived_at: float
    event: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """`position` is the time and number of the event that was replayed last."""

    account_id: str
    region: str
    name: str
    description: str | None = None
    archive_arn: str
    archive_id: str
    destination_arn: str
    filter_arns: Sequence[str] | None = None
    start_time: float
    end_time: float
    state: ReplayState = "STARTING"
    state_reason: str | None = None
    started_at: float
    ended_at: float | None = None
    last_replayed_time: float | None = None
    position: tuple[float, int] | None = None

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:events:{self.region}:{self.account_id}:replay/{self.name}"
