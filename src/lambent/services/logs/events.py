"""Log events, as they come in (PutLogEvents) and as they are read back stream by stream (GetLogEvents)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.services.logs import tokens
from lambent.services.logs.arns import requested_group
from lambent.services.logs.batch import judge
from lambent.services.logs.exceptions import ResourceNotFoundException
from lambent.services.logs.groups import Groups
from lambent.services.logs.page import EVENTS_MOST, PAGE_BYTES_MOST, Position, chunk_size, position
from lambent.services.logs.retention import oldest_kept_ms
from lambent.services.logs.streams import sequence_token
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.logs import LogEvent, LogStore

_FORWARD: Literal["f"] = "f"
_BACKWARD: Literal["b"] = "b"
_Token = tuple[Literal["f", "b"], int, int]


class EventOperations:
    def __init__(self, store: LogStore, groups: Groups, clock: Clock) -> None:
        self._store = store
        self._groups = groups
        self._clock = clock

    async def put_log_events(self, caller: Caller, parameters: Parameters) -> Parameters:
        group = await self._groups.require(caller, parameters["logGroupName"])
        stream = await self._require_stream(caller, group.name, parameters["logStreamName"])
        now_ms = self._now_ms()
        events = parameters["logEvents"]
        verdict = judge(events, now_ms=now_ms, oldest_kept_ms=oldest_kept_ms(group, now_ms))
        taken = [
            LogEvent(event["timestamp"], now_ms, event["message"], stream)
            for event in events[verdict.start : verdict.end]
        ]
        if taken:
            try:
                await self._store.append(
                    caller.account_id, caller.region, group.name, stream, taken, create=False
                )
            except NotFoundError:  # deleted since we looked
                raise ResourceNotFoundException.stream() from None
        answer: Parameters = {"nextSequenceToken": sequence_token(now_ms)}
        if verdict.rejected:
            answer["rejectedLogEventsInfo"] = verdict.rejected
        if "entity" in parameters:
            # Entities feed Application Signals, which is not offered: events are taken, the entity is not.
            answer["rejectedEntityInfo"] = {"errorType": "UnsupportedLogGroupType"}
        return answer

    async def get_log_events(self, caller: Caller, parameters: Parameters) -> Parameters:
        """`unmask` changes nothing: data protection policies, which mask, are not offered."""
        group = await self._groups.require(caller, requested_group(caller, parameters))
        stream = await self._require_stream(caller, group.name, parameters["logStreamName"])
        token: _Token | None = None
        if "nextToken" in parameters:
            token = tokens.decode(parameters["nextToken"], _Token)
        forward = token[0] == _FORWARD if token else parameters.get("startFromHead", False)
        at = (token[1], token[2]) if token else None
        start_ms = max(parameters.get("startTime", 0), oldest_kept_ms(group, self._now_ms()))
        limit = parameters.get("limit", EVENTS_MOST)

        async def read(at: Position | None, most: int) -> Sequence[LogEvent]:
            return await self._store.read(
                caller.account_id,
                caller.region,
                group.name,
                streams=[stream],
                start_ms=start_ms,
                end_ms=parameters.get("endTime"),
                after=at if forward else None,
                before=None if forward else at,
                descending=not forward,
                limit=most,
            )

        events = await _fill(read, at, limit)
        if not forward:
            events.reverse()
        return _page(events, at or (start_ms, 0))

    async def _require_stream(self, caller: Caller, group: str, name: str) -> str:
        if await self._store.get_stream(caller.account_id, caller.region, group, name) is None:
            raise ResourceNotFoundException.stream()
        return name

    def _now_ms(self) -> int:
        return int(self._clock.now() * 1000)


async def _fill(
    read: Callable[[Position | None, int], Awaitable[Sequence[LogEvent]]], at: Position | None, limit: int
) -> list[LogEvent]:
    """The first events that fit into one page: at least one, however big it is."""
    events: list[LogEvent] = []
    size = 0
    while len(events) < limit:
        most = min(limit - len(events), chunk_size(len(events), size))
        chunk = await read(at, most)
        for event in chunk:
            size += len(event.message.encode())
            if events and size > PAGE_BYTES_MOST:
                return events
            events.append(event)
            at = position(event)
        if len(chunk) < most:
            break
    return events


def _page(events: Sequence[LogEvent], at: Position) -> Parameters:
    """An empty page's tokens are those of where it was looked for, so that readers at the end get back the token
    they came with, and can go on with it when there is more."""
    first, last = (position(events[0]), position(events[-1])) if events else (at, at)
    return {
        "events": [
            {"timestamp": event.timestamp_ms, "message": event.message, "ingestionTime": event.ingestion_ms}
            for event in events
        ],
        "nextForwardToken": tokens.encode((_FORWARD, *last)),
        "nextBackwardToken": tokens.encode((_BACKWARD, *first)),
    }
