"""Replays: StartReplay, DescribeReplay, ListReplays, CancelReplay, and the task that replays.

Archived events go to their bus's rules again, by their times, with a `replay-name`. Where the server ends in the midst
of a replay, the next start goes on behind the last events that it stored.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.delivery import Delivery
from lambent.model.event_archive import Replay, ReplayState
from lambent.model.service import Operation
from lambent.services.events.acceptance import Acceptance
from lambent.services.events.archives import Archives, archive_name
from lambent.services.events.catalog import Catalog
from lambent.services.events.errors import (
    ConcurrentModificationException,
    IllegalStatusException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
    invalid,
)
from lambent.services.events.event import replayed
from lambent.services.events.names import bus_of_arn, parse_arn
from lambent.services.events.pages import cut, limit, position
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.event_archives import EventArchiveStore
from lambent.store.ports.named_records import Due, Name, NamedRecords
from lambent.targets.timer import Timer

_BATCH = 100
_ARCHIVE = "archive/"
_RUNNING = ("STARTING", "RUNNING")


class Replays:
    """A replay that has work to do is due. `timer` has it done, a batch at a time. `settle_seconds` is how long one
    shows as STARTING or CANCELLING at least: tools cancel what they have just started."""

    def __init__(
        self,
        replays: NamedRecords[Replay],
        catalog: Catalog,
        archives: Archives,
        events: EventArchiveStore,
        acceptance: Acceptance,
        clock: Clock,
        settle_seconds: float,
    ) -> None:
        self._replays = replays
        self._catalog = catalog
        self._archives = archives
        self._events = events
        self._acceptance = acceptance
        self._clock = clock
        self._settle_seconds = settle_seconds
        self.timer = Timer(replays, self._go_on, lambda _, now: now + settle_seconds, clock)

    def operations(self) -> Mapping[str, Operation]:
        return {
            "StartReplay": self.start,
            "DescribeReplay": self.describe,
            "ListReplays": self.list,
            "CancelReplay": self.cancel,
        }

    async def start(self, caller: Caller, parameters: Parameters) -> Parameters:
        source, destination = parameters["EventSourceArn"], parameters["Destination"]
        bus = bus_of_arn(destination["Arn"], "Destination.Arn")
        await self._catalog.require_bus(bus)
        try:
            archive = await self._archives.require(archive_name(caller, _archive_of(source)))
        except ResourceNotFoundException as error:
            raise invalid("EventSourceArn", error.message) from None
        if archive.source_arn != destination["Arn"]:
            raise invalid("Destination.Arn", "Cross event bus replay is not permitted.")
        start, end = _moment(parameters["EventStartTime"]), _moment(parameters["EventEndTime"])
        if start >= end:
            raise invalid("EventEndTime", "EventStartTime must be before EventEndTime.")
        now = self._clock.now()
        replay = Replay(
            account_id=caller.account_id,
            region=caller.region,
            name=parameters["ReplayName"],
            description=parameters.get("Description"),
            archive_arn=source,
            archive_id=archive.id,
            destination_arn=destination["Arn"],
            filter_arns=destination.get("FilterArns"),
            start_time=start,
            end_time=end,
            started_at=now,
        )
        try:
            await self._replays.insert(_name(caller, replay.name), replay, due_at=now + self._settle_seconds)
        except AlreadyExistsError:
            raise ResourceAlreadyExistsException(f"Replay {replay.name} already exists.") from None
        self.timer.wake()
        return {"ReplayArn": replay.arn(caller.partition), "State": replay.state, "ReplayStartTime": now}

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        replay = await self._require(_name(caller, parameters["ReplayName"]))
        destination: Parameters = {"Arn": replay.destination_arn}
        if replay.filter_arns is not None:
            destination["FilterArns"] = list(replay.filter_arns)
        members = {
            "ReplayArn": replay.arn(caller.partition),
            **_listed(replay),
            "Destination": destination,
        }
        if replay.description is not None:
            members["Description"] = replay.description
        return members

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        state, source = parameters.get("State"), parameters.get("EventSourceArn")
        found = await self._replays.page(
            caller.account_id,
            caller.region,
            prefix=parameters.get("NamePrefix", ""),
            after=("", position(parameters)),
            limit=limit(parameters) + 1,
        )
        replays, paging = cut(parameters, [replay for _, replay in found], lambda replay: replay.name)
        wanted = (
            each for each in replays if state in (None, each.state) and source in (None, each.archive_arn)
        )
        return {"Replays": [_listed(replay) for replay in wanted], **paging}

    async def cancel(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = _name(caller, parameters["ReplayName"])
        previous = await self._require(name)
        if previous.state not in _RUNNING:
            raise IllegalStatusException(f"Replay {name.name} is not in a valid state for this operation.")
        replay, due_at = replace(previous, state="CANCELLING"), self._clock.now() + self._settle_seconds
        try:
            await self._replays.replace(name, replay, previous=previous, due_at=due_at)
        except (StaleRevisionError, NotFoundError):
            raise ConcurrentModificationException(
                f"Replay {name.name} is being modified by other requests."
            ) from None
        self.timer.wake()
        return {"ReplayArn": replay.arn(caller.partition), "State": replay.state}

    async def _go_on(self, due: Due[Replay]) -> None:
        """The next batch: what comes of it is stored with how far the replay is."""
        replay, now = due.value, self._clock.now()
        if replay.state == "CANCELLING":
            return await self._end(due, "CANCELLED")
        events = await self._events.page(
            replay.archive_id,
            start=replay.start_time,
            end=replay.end_time,
            after=replay.position,
            limit=_BATCH,
        )
        if not events:
            return await self._end(due, "COMPLETED")
        bus = bus_of_arn(replay.destination_arn)
        deliveries: list[Delivery] = []
        for event in events:
            again = replayed(event.event, replay.name)
            deliveries += await self._acceptance.replayed(bus, again, replay.filter_arns)
        last = events[-1]
        following = replace(
            replay, state="RUNNING", last_replayed_time=last.time, position=(last.time, last.number)
        )
        await self._replays.advance(
            due.name, previous=replay, value=following, due_at=now, deliveries=deliveries
        )
        self._acceptance.wake()

    async def _end(self, due: Due[Replay], state: ReplayState) -> None:
        ended = replace(due.value, state=state, ended_at=self._clock.now())
        await self._replays.advance(due.name, previous=due.value, value=ended, due_at=None, deliveries=())

    async def _require(self, name: Name) -> Replay:
        replay = await self._replays.get(name)
        if replay is None:
            raise ResourceNotFoundException(f"Replay {name.name} does not exist.")
        return replay


def _name(caller: Caller, name: str) -> Name:
    return Name(caller.account_id, caller.region, "", name)


def _archive_of(text: str) -> str:
    arn = parse_arn(text, "EventSourceArn")
    if not arn.resource.startswith(_ARCHIVE):
        raise invalid("EventSourceArn", "Provided Arn is not in correct format.")
    return arn.resource.removeprefix(_ARCHIVE)


def _moment(time: datetime | float) -> float:
    return time.timestamp() if isinstance(time, datetime) else float(time)


def _listed(replay: Replay) -> Parameters:
    members: Parameters = {
        "ReplayName": replay.name,
        "EventSourceArn": replay.archive_arn,
        "State": replay.state,
        "EventStartTime": replay.start_time,
        "EventEndTime": replay.end_time,
        "ReplayStartTime": replay.started_at,
    }
    optional = {
        "StateReason": replay.state_reason,
        "EventLastReplayedTime": replay.last_replayed_time,
        "ReplayEndTime": replay.ended_at,
    }
    members.update({name: value for name, value in optional.items() if value is not None})
    return members
