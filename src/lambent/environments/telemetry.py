"""The Telemetry API of one environment: who has subscribed, and what each of them is told.

It comes into being with the first subscription. What the platform tells and what function and extensions write is
handed to `take` and `take_output`; `subscriber.py` delivers it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from lambent.environments.platform_events import PlatformEvent, iso_milliseconds, subscription
from lambent.environments.subscriber import Connect, Subscriber
from lambent.environments.subscriptions import Api, EventKind, RefusedError, Subscription, read_subscription

_HISTORY_BYTES_MOST: Final = 1 << 20
_EVENT_BYTES: Final = 500
"""What an event costs us beside its text."""
_SUBSCRIPTIONS_MOST: Final = 10
"""As many as there may be extensions: what is held for each is memory of ours."""
_STRUCTURED_SINCE: Final = "2022-12-13"
"""The first schema in which a line of a log in JSON is an object, not text."""

_LOGS_API: Final[Mapping[str, frozenset[str]]] = {
    "platform.start": frozenset({"requestId", "version"}),
    "platform.end": frozenset({"requestId"}),
    "platform.report": frozenset({"requestId", "metrics"}),
    "platform.extension": frozenset({"name", "state", "events"}),
    "platform.logsSubscription": frozenset({"name", "state", "types"}),
    "platform.logsDropped": frozenset({"reason", "droppedRecords", "droppedBytes"}),
    "platform.runtimeDone": frozenset({"requestId", "status"}),
    "platform.fault": frozenset(),
}
"""What the Logs API knows of the platform's events, and their fields there."""
_LOGS_API_ONLY: Final = frozenset({"platform.end", "platform.fault", "platform.logsSubscription"})
_SINCE: Final = {"platform.runtimeDone": "2021-03-18"}

Event = dict[str, Any]


class Telemetry:
    """`note` tells the function's log and `take` of an event. `structured`: the function logs in JSON."""

    def __init__(
        self,
        connect: Connect,
        now: Callable[[], float],
        note: Callable[[PlatformEvent], None],
        *,
        structured: bool,
    ) -> None:
        self._connect = connect
        self._now = now
        self._note = note
        self._structured = structured
        self._subscribers: list[Subscriber] = []
        self._history: list[tuple[EventKind, Event]] = []
        self._history_bytes = 0
        self._initializing = True

    def subscribe(self, name: str, body: bytes, api: Api) -> str:
        """AWS's answer, "OK" or "AlreadySubscribed". Who comes later is told of what has happened in this Init before.
        Raises RefusedError."""
        wanted = read_subscription(body, api)
        own = [one for one in self._subscribers if one.name == name]
        if other := next((one for one in own if one.wanted.api != api), None):
            raise RefusedError(
                "AccessDenied",
                f"The extension {name} is already subscribed to the {other.wanted.api}API. You must either subscribe "
                "to the LogsAPI or the TelemetryAPI",
            )
        known = any(one.wanted == wanted for one in own)
        if not known and len(self._subscribers) >= _SUBSCRIPTIONS_MOST:
            raise RefusedError("ValidationError", f"there are {_SUBSCRIPTIONS_MOST} subscriptions already")
        if not known:
            subscriber = Subscriber(name, wanted, self._connect, self._now)
            self._subscribers.append(subscriber)
            for kind, event in self._history:
                self._offer(subscriber, kind, event)
        state = "Already subscribed" if known else "Subscribed"
        self._note(subscription(api, name, state, wanted.types, self._now()))
        return "AlreadySubscribed" if known else "OK"

    def take(self, event: PlatformEvent) -> None:
        self._tell("platform", event.as_object())

    def take_output(self, kind: EventKind, text: str, at_ms: int | None) -> None:
        """One event of a log, `kind` "function" or "extension"."""
        at = self._now() if at_ms is None else at_ms / 1000
        self._tell(kind, {"time": iso_milliseconds(at), "type": kind, "record": text})

    def init_over(self) -> None:
        self._initializing = False
        self._history.clear()

    def pause(self) -> None:
        """The environment is frozen: what is due waits, and who was asked may take its time to answer."""
        for one in self._subscribers:
            one.pause()

    def resume(self) -> None:
        for one in self._subscribers:
            one.resume()

    async def flush(self, seconds: float) -> None:
        """Delivers everything, for `seconds` at most."""
        for one in self._subscribers:
            one.hurry()
        for one in self._subscribers:
            await one.drained(seconds)

    def close(self) -> None:
        for one in self._subscribers:
            one.close()

    def _tell(self, kind: EventKind, event: Event) -> None:
        if self._initializing and self._history_bytes < _HISTORY_BYTES_MOST:
            self._history.append((kind, event))
            self._history_bytes += _EVENT_BYTES + len(event["record"])
        for one in self._subscribers:
            self._offer(one, kind, event)

    def _offer(self, subscriber: Subscriber, kind: EventKind, event: Event) -> None:
        if kind not in subscriber.wanted.types:
            return
        shown = _shown(event, subscriber.wanted) if kind == "platform" else self._log_line(event, subscriber)
        if shown is not None:
            subscriber.take(orjson.dumps(shown))

    def _log_line(self, event: Event, subscriber: Subscriber) -> Event:
        if not self._structured or subscriber.wanted.schema < _STRUCTURED_SINCE:
            return event
        try:
            decoded = orjson.loads(event["record"])
        except orjson.JSONDecodeError:
            return event
        return event | {"record": decoded} if isinstance(decoded, dict) else event


def _shown(event: Event, wanted: Subscription) -> Event | None:
    """As the schema of a subscription has it; None where it knows no such event."""
    kind, record = event["type"], event["record"]
    if wanted.api == "Telemetry":
        return None if kind in _LOGS_API_ONLY else event
    if kind not in _LOGS_API or wanted.schema < _SINCE.get(kind, ""):
        return None
    if isinstance(record, str):
        return event
    return event | {"record": {name: value for name, value in record.items() if name in _LOGS_API[kind]}}
