"""Who is told of new log events: Live Tail subscribes, and sees what is appended through `FedLogStore`.

One process only: with several nodes, each shows what was appended through it.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lambent.store.ports.logs import LogEvent

_KEPT_MOST = 5000
_KEPT_CHARACTERS_MOST = 16 * 1_048_576


@dataclass(frozen=True, slots=True)
class FedEvent:
    group: str
    stream: str
    event: LogEvent


class Subscription(Protocol):
    def take(self) -> Sequence[FedEvent]:
        """What came in since the last call, oldest first. Beyond 5,000 events, or 16 million
        characters, the oldest are dropped."""
        ...

    def close(self) -> None: ...


class LogFeed(Protocol):
    def subscribe(self, account_id: str, region: str, groups: Sequence[str]) -> Subscription: ...


class LocalFeed:
    """The feed within this process. Costs an append nothing but a look-up while nobody is subscribed."""

    def __init__(self) -> None:
        self._subscribers: dict[tuple[str, str, str], list[_LocalSubscription]] = {}

    def subscribe(self, account_id: str, region: str, groups: Sequence[str]) -> Subscription:
        return _LocalSubscription(self._subscribers, [(account_id, region, group) for group in groups])

    def publish(
        self, account_id: str, region: str, group: str, stream: str, events: Sequence[LogEvent]
    ) -> None:
        for subscription in self._subscribers.get((account_id, region, group), ()):
            subscription.give(FedEvent(group, stream, event) for event in events)


class _LocalSubscription:
    def __init__(
        self,
        subscribers: "dict[tuple[str, str, str], list[_LocalSubscription]]",
        keys: list[tuple[str, str, str]],
    ) -> None:
        self._subscribers = subscribers
        self._keys = sorted(set(keys))
        self._waiting: deque[FedEvent] = deque()
        self._waiting_characters = 0
        for key in self._keys:
            subscribers.setdefault(key, []).append(self)

    def give(self, fed: Iterable[FedEvent]) -> None:
        for entry in fed:
            self._waiting.append(entry)
            self._waiting_characters += len(entry.event.message)
            while len(self._waiting) > _KEPT_MOST or self._waiting_characters > _KEPT_CHARACTERS_MOST:
                self._waiting_characters -= len(self._waiting.popleft().event.message)

    def take(self) -> Sequence[FedEvent]:
        taken = list(self._waiting)
        self._waiting.clear()
        self._waiting_characters = 0
        return taken

    def close(self) -> None:
        for key in self._keys:
            others = self._subscribers[key]
            others.remove(self)
            if not others:
                del self._subscribers[key]
        self._keys = []
