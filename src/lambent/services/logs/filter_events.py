"""FilterLogEvents: the events of a group that match a pattern, all streams in one order of time."""

from collections.abc import Sequence
from dataclasses import dataclass

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.services.logs import tokens
from lambent.services.logs.arns import requested_group
from lambent.services.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from lambent.services.logs.filter_pattern import FilterPattern, InvalidFilterPatternError, parse
from lambent.services.logs.groups import Groups
from lambent.services.logs.page import EVENTS_MOST, PAGE_BYTES_MOST, Position, chunk_size, event_id, position
from lambent.services.logs.retention import oldest_kept_ms
from lambent.services.logs.turns import Turns
from lambent.store.ports.logs import LogEvent, LogStore

_SCANNED_EVENTS_MOST = 50_000
_SCANNED_BYTES_MOST = 32 * 1_048_576
_STREAMS_A_TIME = 1000
_DESCENDING_FROM_MS = 1_704_067_200_000  # 2024-01-01, AWS's bound for reading backwards
_Token = tuple[bool, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to look for. `at` is the position after which (in the direction of reading) to go on."""

    caller: Caller
    group: str
    streams: Sequence[str] | None
    pattern: FilterPattern
    start_ms: int
    end_ms: int | None
    descending: bool
    at: Position | None
    limit: int


class FilterOperations:
    def __init__(self, store: LogStore, groups: Groups, clock: Clock) -> None:
        self._store = store
        self._groups = groups
        self._clock = clock

    async def filter_log_events(self, caller: Caller, parameters: Parameters) -> Parameters:
        """`interleaved` is ignored as in AWS (events always are), `unmask` as there is nothing to unmask."""
        pattern = compiled(parameters.get("filterPattern", ""))
        group = await self._groups.require(caller, requested_group(caller, parameters))
        descending, at = _direction(parameters)
        streams = await self._streams(caller, group.name, parameters)
        if streams == []:
            return {"events": [], "searchedLogStreams": []}
        end_ms = parameters.get("endTime")
        query = Query(
            caller=caller,
            group=group.name,
            streams=streams,
            pattern=pattern,
            start_ms=max(
                parameters.get("startTime", 0), oldest_kept_ms(group, int(self._clock.now() * 1000))
            ),
            end_ms=None if end_ms is None else end_ms + 1,  # AWS's endTime is inclusive here
            descending=descending,
            at=at,
            limit=parameters.get("limit", EVENTS_MOST),
        )
        found, reached = await self._scan(query)
        page: Parameters = {"events": [_described(event) for event in found], "searchedLogStreams": []}
        if reached is not None:
            page["nextToken"] = tokens.encode((descending, *reached))
        return page

    async def _scan(self, query: Query) -> tuple[list[LogEvent], Position | None]:
        """The matching events of one page, and the position up to which was looked (None: to the end).

        A page ends early when much was read for little, so that no request keeps the store busy for long."""
        found: list[LogEvent] = []
        turns = Turns(self._clock)
        at, found_bytes, scanned, scanned_bytes = query.at, 0, 0, 0
        while scanned < _SCANNED_EVENTS_MOST and scanned_bytes < _SCANNED_BYTES_MOST:
            most = chunk_size(scanned, scanned_bytes)
            chunk = await self._read(query, at, most)
            for event in chunk:
                size = len(event.message.encode())
                if query.pattern.matches(event.message):
                    if found and found_bytes + size > PAGE_BYTES_MOST:
                        return found, at
                    found.append(event)
                    found_bytes += size
                at = position(event)
                scanned_bytes += size
                if len(found) == query.limit:
                    return found, at
                await turns.share()
            if len(chunk) < most:
                return found, None
            scanned += len(chunk)
        return found, at

    async def _read(self, query: Query, at: Position | None, most: int) -> Sequence[LogEvent]:
        return await self._store.read(
            query.caller.account_id,
            query.caller.region,
            query.group,
            streams=query.streams,
            start_ms=query.start_ms,
            end_ms=query.end_ms,
            after=None if query.descending else at,
            before=at if query.descending else None,
            descending=query.descending,
            limit=most,
        )

    async def _streams(self, caller: Caller, group: str, parameters: Parameters) -> list[str] | None:
        """The streams to search; None means all."""
        names: list[str] = parameters.get("logStreamNames", [])
        prefix = parameters.get("logStreamNamePrefix", "")
        if names and prefix:
            raise InvalidParameterException(
                "logStreamNames and logStreamNamePrefix cannot both be specified."
            )
        if prefix:
            return await self._with_prefix(caller, group, prefix)
        for name in names:
            if await self._store.get_stream(caller.account_id, caller.region, group, name) is None:
                raise ResourceNotFoundException.stream()
        return names or None

    async def _with_prefix(self, caller: Caller, group: str, prefix: str) -> list[str]:
        names: list[str] = []
        after: tuple[int, str] | None = None
        while True:
            streams = await self._store.page_streams(
                caller.account_id,
                caller.region,
                group,
                prefix=prefix,
                by_last_event=False,
                descending=False,
                after=after,
                limit=_STREAMS_A_TIME,
            )
            names.extend(stream.name for stream in streams)
            if len(streams) < _STREAMS_A_TIME:
                return names
            after = (streams[-1].last_event_ms or 0, streams[-1].name)


def compiled(pattern: str) -> FilterPattern:
    """Raises InvalidParameterException."""
    try:
        return parse(pattern)
    except InvalidFilterPatternError as error:
        raise InvalidParameterException(str(error)) from None


def _direction(parameters: Parameters) -> tuple[bool, Position | None]:
    """Whether newest events come first, and where to go on. A token decides over `startFromHead`."""
    if token := parameters.get("nextToken"):
        descending, timestamp_ms, id_ = tokens.decode(token, _Token)
        return descending, (timestamp_ms, id_)
    descending = not parameters.get("startFromHead", True)
    if descending and parameters.get("startTime", 0) < _DESCENDING_FROM_MS:
        raise InvalidParameterException(
            "startFromHead can be false only with a startTime on or after 2024-01-01T00:00:00Z."
        )
    return descending, None


def _described(event: LogEvent) -> Parameters:
    return {
        "logStreamName": event.stream,
        "timestamp": event.timestamp_ms,
        "message": event.message,
        "ingestionTime": event.ingestion_ms,
        "eventId": event_id(event),
    }
