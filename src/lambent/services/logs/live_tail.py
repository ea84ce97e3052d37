"""StartLiveTail: the events of up to ten groups while they come in, one update a second.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.services.logs.arns import group_arn, group_name
from lambent.services.logs.exceptions import (
    InvalidParameterException,
    LimitExceededException,
    SessionTimeoutException,
)
from lambent.services.logs.feed import FedEvent, LogFeed
from lambent.services.logs.filter_events import compiled
from lambent.services.logs.filter_pattern import FilterPattern
from lambent.services.logs.groups import Groups
from lambent.services.logs.turns import Turns

_UPDATE_SECONDS = 1.0
_EVENTS_A_SECOND_MOST = 500
_SESSION_SECONDS = 3 * 3600
_SESSIONS_MOST = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which events a session shows."""

    names: Sequence[str]
    prefixes: tuple[str, ...]
    pattern: FilterPattern

    def shows(self, fed: FedEvent) -> bool:
        if self.names and fed.stream not in self.names:
            return False
        if self.prefixes and not fed.stream.startswith(self.prefixes):
            return False
        return self.pattern.matches(fed.event.message)


class LiveTailOperations:
    def __init__(
        self,
        feed: LogFeed,
        groups: Groups,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._feed = feed
        self._groups = groups
        self._clock = clock
        self._sleep = sleep
        self._sessions: dict[str, int] = {}

    async def start_live_tail(self, caller: Caller, parameters: Parameters) -> Parameters:
        selection = _selection(parameters)
        groups = []
        for identifier in parameters["logGroupIdentifiers"]:
            groups.append((await self._groups.require(caller, group_name(caller, identifier))).name)
        if self._sessions.get(caller.account_id, 0) >= _SESSIONS_MOST:
            raise LimitExceededException(f"An account can have at most {_SESSIONS_MOST} Live Tail sessions.")
        return {"responseStream": self._session(caller, parameters, groups, selection)}

    async def _session(
        self, caller: Caller, parameters: Parameters, groups: list[str], selection: Selection
    ) -> AsyncIterator[Parameters]:
        """Ends with SessionTimeoutException after three hours, or when the reader closes it."""
        account = caller.account_id
        self._sessions[account] = self._sessions.get(account, 0) + 1
        subscription = self._feed.subscribe(account, caller.region, groups)
        ends_at = self._clock.monotonic() + _SESSION_SECONDS
        try:
            yield {"sessionStart": _session_start(caller, parameters)}
            while self._clock.monotonic() < ends_at:
                await self._sleep(_UPDATE_SECONDS)
                yield {"sessionUpdate": _update(caller, await self._shown(subscription.take(), selection))}
            raise SessionTimeoutException("The Live Tail session has timed out after three hours.")
        finally:
            subscription.close()
            self._sessions[account] -= 1

    async def _shown(self, fed: Sequence[FedEvent], selection: Selection) -> list[FedEvent]:
        turns = Turns(self._clock)
        shown = []
        for entry in fed:
            if selection.shows(entry):
                shown.append(entry)
            await turns.share()
        return shown


def _selection(parameters: Parameters) -> Selection:
    names = parameters.get("logStreamNames", ())
    prefixes = tuple(parameters.get("logStreamNamePrefixes", ()))
    if names and prefixes:
        raise InvalidParameterException("logStreamNames and logStreamNamePrefixes cannot both be specified.")
    if (names or prefixes) and len(parameters["logGroupIdentifiers"]) > 1:
        raise InvalidParameterException("Log streams can be specified only with a single log group.")
    pattern = compiled(parameters.get("logEventFilterPattern", ""))
    return Selection(names=names, prefixes=prefixes, pattern=pattern)


def _session_start(caller: Caller, parameters: Parameters) -> Parameters:
    echoed = ("logGroupIdentifiers", "logStreamNames", "logStreamNamePrefixes", "logEventFilterPattern")
    return {
        "requestId": caller.request_id,
        "sessionId": new_uuid(),
        **{name: parameters[name] for name in echoed if name in parameters},
    }


def _update(caller: Caller, shown: Sequence[FedEvent]) -> Parameters:
    sampled = len(shown) > _EVENTS_A_SECOND_MOST
    if sampled:  # evenly, so that every part of the second is seen
        shown = [shown[at * len(shown) // _EVENTS_A_SECOND_MOST] for at in range(_EVENTS_A_SECOND_MOST)]
    return {
        "sessionMetadata": {"sampled": sampled},
        "sessionResults": [
            {
                "logStreamName": entry.stream,
                "logGroupIdentifier": group_arn(caller, entry.group),
                "message": entry.event.message,
                "timestamp": entry.event.timestamp_ms,
                "ingestionTime": entry.event.ingestion_ms,
            }
            for entry in shown
        ],
    }
