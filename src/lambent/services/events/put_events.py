"""PutEvents, and TestEventPattern.

Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException, ValidationException
from lambent.model.event_pattern import InvalidPatternError, Pattern, parse_pattern
from lambent.model.service import Operation
from lambent.services.events.acceptance import Acceptance
from lambent.services.events.errors import InvalidEventPatternException, invalid, not_offered
from lambent.services.events.event import Event, event_of, new_event
from lambent.services.events.names import arn_of_bus, bus_name
from lambent.services.events.rule_metrics import RuleMetrics
from lambent.store.ports.named_records import Name

FORWARDED = "Forwarded"
"""The member of an entry with which a rule sends an event on to another bus as it is: its text, and the buses it came
by. No member of the model's, so nobody but ourselves can send it."""
_SIZE_MOST = 1_048_576
_TIME_SIZE = 14
_REQUIRED = ("Source", "DetailType", "Detail")
_EVENT_MEMBERS = ("id", "detail-type", "source", "account", "time", "region")


class _EntryError(Exception):
    """Why one entry is refused: ErrorCode, ErrorMessage."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = {"ErrorCode": code, "ErrorMessage": message}


class PutEvents:
    def __init__(self, acceptance: Acceptance, clock: Clock, metrics: RuleMetrics) -> None:
        self._acceptance = acceptance
        self._clock = clock
        self._metrics = metrics

    def operations(self) -> Mapping[str, Operation]:
        return {"PutEvents": self.put_events, "TestEventPattern": self.test_event_pattern}

    async def put_events(self, caller: Caller, parameters: Parameters) -> Parameters:
        if "EndpointId" in parameters:
            raise not_offered("global endpoints")
        entries = parameters["Entries"]
        if sum(map(_size, entries)) > _SIZE_MOST:
            raise ValidationException("Total size of the entries in the request is over the limit.")
        accepted: list[tuple[Name, Event]] = []
        answers: list[Parameters] = []
        for entry in entries:
            try:
                bus = _bus(caller, entry)
                event = self._event(caller, bus, entry)
            except _EntryError as error:
                answers.append(error.answer)
                continue
            accepted.append((bus, event))
            answers.append({"EventId": event.id})
        self._metrics.called(caller.account_id, caller.region, len(entries))
        await self._acceptance.accept(accepted)
        return {"FailedEntryCount": len(entries) - len(accepted), "Entries": answers}

    def _event(self, caller: Caller, bus: Name, entry: Parameters) -> Event:
        if FORWARDED in entry:
            text, buses = entry[FORWARDED]
            return event_of(text, buses, entry.get("TraceHeader"))
        for name in _REQUIRED:
            if not entry.get(name):
                raise _EntryError(
                    "InvalidArgument",
                    f"Parameter {name} is not valid. Reason: {name} is a required argument.",
                )
        source = entry["Source"]
        if source.startswith("aws.") and caller.service is None:
            raise _EntryError("NotAuthorizedForSourceException", "Not authorized for the source.")
        time = entry.get("Time")
        return new_event(
            source=source,
            detail_type=entry["DetailType"],
            detail=_detail(entry["Detail"]),
            account_id=caller.account_id,
            region=bus.region,
            time=self._clock.now() if time is None else _moment(time),
            resources=entry.get("Resources") or (),
            trace=entry.get("TraceHeader") or _trace_of_request(caller),
        )

    async def test_event_pattern(self, caller: Caller, parameters: Parameters) -> Parameters:
        pattern = compiled_pattern(parameters["EventPattern"])
        try:
            event = orjson.loads(parameters["Event"])
        except orjson.JSONDecodeError:
            raise invalid("Event") from None
        if not isinstance(event, dict) or not all(name in event for name in _EVENT_MEMBERS):
            raise invalid("Event")
        return {"Result": pattern.matches(event)}


def compiled_pattern(text: str) -> Pattern:
    """Raises InvalidEventPatternException."""
    try:
        return parse_pattern(text)
    except InvalidPatternError as error:
        raise InvalidEventPatternException(f"Event pattern is not valid. Reason: {error}") from None


def _bus(caller: Caller, entry: Parameters) -> Name:
    try:
        return bus_name(caller, entry.get("EventBusName"))
    except ServiceException as error:
        raise _EntryError("InvalidArgument", error.message) from None


def _trace_of_request(caller: Caller) -> str | None:
    """Without what functions' loops are found by: AWS does not look for those that go by way of EventBridge."""
    header = caller.headers.get("x-amzn-trace-id")
    return None if header is None else header.partition(";Lineage=")[0]


def _detail(text: str) -> dict[str, Any]:
    try:
        detail = orjson.loads(text)
    except orjson.JSONDecodeError:
        detail = None
    if not isinstance(detail, dict):
        raise _EntryError("MalformedDetail", "Detail is malformed.")
    return detail


def _size(entry: Parameters) -> int:
    """As AWS counts: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html"""
    size = _TIME_SIZE if "Time" in entry else 0
    size += sum(len(entry.get(name, "").encode()) for name in _REQUIRED)
    return size + sum(len(resource.encode()) for resource in entry.get("Resources") or ())


def _moment(time: datetime | float) -> float:
    return time.timestamp() if isinstance(time, datetime) else float(time)


def bus_arns(caller: Caller, parameters: Parameters) -> tuple[str, ...]:
    """The buses that a request puts events on, for authorization."""
    names = {bus_name(caller, entry.get("EventBusName")) for entry in parameters["Entries"]}
    return tuple(arn_of_bus(caller, name) for name in sorted(names))
