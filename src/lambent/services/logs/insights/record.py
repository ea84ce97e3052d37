"""Records: what stages hand on. One of an event finds out its fields when it is asked."""

from collections.abc import Callable
from dataclasses import dataclass, field

from lambent.services.logs.insights import pointer
from lambent.services.logs.insights.discovery import discovered
from lambent.services.logs.insights.values import Moment, Value


@dataclass(frozen=True, slots=True)
class Event:
    """A log event as it comes to a query. `id` tells those of one moment in a group apart."""

    timestamp_ms: int
    ingestion_ms: int
    message: str
    stream: str
    account_id: str
    group: str
    id: int

    @property
    def ptr(self) -> str:
        return pointer.encode(self.group, self.timestamp_ms, self.id)


@dataclass(slots=True)
class Record:
    """`values` are those that the query gave names to; of what `stats` made there is no event."""

    event: Event | None
    values: dict[str, Value] = field(default_factory=dict)
    _discovered: dict[str, Value] | None = None

    def get(self, name: str) -> Value:
        if name in self.values:
            return self.values[name]
        if self.event is None:
            return None
        system = _SYSTEM.get(name)
        if system is not None:
            return system(self.event)
        return self.discovered().get(name)

    def discovered(self) -> dict[str, Value]:
        if self._discovered is None:
            self._discovered = {} if self.event is None else discovered(self.event.message)
        return self._discovered


_SYSTEM: dict[str, Callable[[Event], Value]] = {
    "@timestamp": lambda event: Moment(event.timestamp_ms),
    "@ingestionTime": lambda event: Moment(event.ingestion_ms),
    "@message": lambda event: event.message,
    "@logStream": lambda event: event.stream,
    "@log": lambda event: f"{event.account_id}:{event.group}",
    "@aws.account": lambda event: event.account_id,
    "@ptr": lambda event: event.ptr,
}
SYSTEM_FIELDS = ("@ingestionTime", "@log", "@logStream", "@message", "@timestamp")
