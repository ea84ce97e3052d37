"""The targets of pipes: one call for a batch of inputs, and which of them it failed for.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from lambent.base.arn import Arn
from lambent.base.clock import Clock
from lambent.event_sources.batch_response import failed_items
from lambent.event_sources.pipes.template import Event, as_text
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.model.json_path import resolved
from lambent.model.pipe import Pipe
from lambent.model.service import Client
from lambent.targets.calls import queue_url
from lambent.targets.failure import DeliveryFailedError

_BATCH_MOST = 10


@dataclass(frozen=True, slots=True)
class Failed:
    """Which inputs failed, by their place; or which messages, as a function's answer names them."""

    places: frozenset[int] = frozenset()
    messages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Batch:
    """`inputs` are texts, each made of the event in its place."""

    pipe: Pipe
    caller: Caller
    events: Sequence[Event]
    inputs: Sequence[str]

    def parameters(self, name: str, place: int = 0) -> Parameters:
        """The target's own, such as SqsQueueParameters, for one of the events."""
        given: Parameters = resolved(self.pipe.target_parameters.get(name, {}), self.events[place].decoded)
        return given

    def texts(self) -> Sequence[str]:
        """The inputs for a target that takes texts, not JSON."""
        template = self.pipe.target_parameters.get("InputTemplate")
        return [as_text(template, made) for made in self.inputs]


class Targets:
    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._kinds: Mapping[str, Callable[[Batch, Arn], Awaitable[Failed]]] = {
            "lambda": self._function,
            "sqs": self._queue,
            "sns": self._topic,
            "events": self._bus,
            "logs": self._log_group,
        }

    async def give(self, batch: Batch) -> Failed:
        """Raises DeliveryFailedError, or ServiceException as the target says no to all."""
        arn = Arn.parse(batch.pipe.target)
        if arn.service in ("sqs", "sns", "events") and len(batch.inputs) > _BATCH_MOST:
            raise DeliveryFailedError("INVALID_PARAMETER", f"{arn} takes no more than {_BATCH_MOST} at once.")
        return await self._kinds[arn.service](batch, arn)

    async def _function(self, batch: Batch, arn: Arn) -> Failed:
        answered = batch.parameters("LambdaFunctionParameters").get("InvocationType") != "FIRE_AND_FORGET"
        answer = await invoke(self._client, batch.caller, str(arn), batch.inputs, answered=answered)
        failed = failed_items(answer) if answered else frozenset()
        if failed is None:
            raise DeliveryFailedError("ERROR_FROM_TARGET", f"The answer of {arn} cannot be read.")
        return Failed(messages=failed)

    async def _queue(self, batch: Batch, arn: Arn) -> Failed:
        entries = [
            {"Id": str(place), "MessageBody": text, **batch.parameters("SqsQueueParameters", place)}
            for place, text in enumerate(batch.texts())
        ]
        asked = {"QueueUrl": queue_url(arn), "Entries": entries}
        return _failed_entries(await self._client("sqs", "SendMessageBatch", batch.caller, asked))

    async def _topic(self, batch: Batch, arn: Arn) -> Failed:
        entries = [{"Id": str(place), "Message": text} for place, text in enumerate(batch.texts())]
        asked = {"TopicArn": str(arn), "PublishBatchRequestEntries": entries}
        return _failed_entries(await self._client("sns", "PublishBatch", batch.caller, asked))

    async def _bus(self, batch: Batch, arn: Arn) -> Failed:
        source = Arn.parse(batch.pipe.source).service
        entries: list[Parameters] = []
        for place, text in enumerate(batch.inputs):
            given = batch.parameters("EventBridgeEventBusParameters", place)
            entry = {
                "EventBusName": str(arn),
                "Source": given.get("Source", f"Pipe {batch.pipe.name}"),
                "DetailType": given.get("DetailType", f"Event from aws:{source}"),
                "Detail": text,
            }
            if "Resources" in given:
                entry["Resources"] = given["Resources"]
            if "Time" in given:
                entry["Time"] = _time(given["Time"])
            entries.append(entry)
        answer = await self._client("events", "PutEvents", batch.caller, {"Entries": entries})
        failed = [place for place, entry in enumerate(answer["Entries"]) if "ErrorCode" in entry]
        return Failed(frozenset(failed))

    async def _log_group(self, batch: Batch, arn: Arn) -> Failed:
        group = arn.resource.removeprefix("log-group:").removesuffix(":*")
        lines: dict[str, list[dict[str, Any]]] = {}
        for place, text in enumerate(batch.texts()):
            given = batch.parameters("CloudWatchLogsParameters", place)
            moment = _milliseconds(given.get("Timestamp"), self._clock.now())
            stream = given.get("LogStreamName", batch.pipe.name)
            lines.setdefault(stream, []).append({"timestamp": moment, "message": text})
        for stream, events in lines.items():
            ordered = sorted(events, key=lambda event: int(event["timestamp"]))
            await self._write(batch.caller, {"logGroupName": group, "logStreamName": stream}, ordered)
        return Failed()

    async def _write(self, caller: Caller, stream: Parameters, events: Sequence[Parameters]) -> None:
        asked = {**stream, "logEvents": events}
        try:
            await self._client("logs", "PutLogEvents", caller, asked)
        except ServiceException as error:
            if error.code != "ResourceNotFoundException":
                raise
            await self._client("logs", "CreateLogStream", caller, stream)
            await self._client("logs", "PutLogEvents", caller, asked)


async def invoke(
    client: Client, caller: Caller, function: str, inputs: Sequence[str], *, answered: bool = True
) -> bytes:
    """Its answer to an array of the inputs. Raises DeliveryFailedError, ServiceException."""
    asked: Parameters = {
        "FunctionName": function,
        "InvocationType": "RequestResponse" if answered else "Event",
        "Payload": f"[{','.join(inputs)}]".encode(),
    }
    answer = await client("lambda", "Invoke", caller, asked)
    if "FunctionError" in answer:
        raise DeliveryFailedError("ERROR_FROM_TARGET", f"{function} failed: {answer['Payload'].decode()}")
    return bytes(answer["Payload"])


def _failed_entries(answer: Parameters) -> Failed:
    return Failed(frozenset(int(entry["Id"]) for entry in answer.get("Failed") or ()))


def _time(text: str) -> float:
    """Raises DeliveryFailedError."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise DeliveryFailedError("INVALID_PARAMETER", f"{text} is no time.") from None


def _milliseconds(text: str | None, now: float) -> int:
    """Raises DeliveryFailedError."""
    try:
        return int(now * 1000) if text is None else int(text)
    except ValueError:
        raise DeliveryFailedError("INVALID_PARAMETER", f"{text} is no time in milliseconds.") from None


def is_empty(answer: bytes) -> bool:
    """Whether an enrichment has left nothing for the target."""
    try:
        return not answer.strip() or orjson.loads(answer) in ("", {}, [], None)
    except orjson.JSONDecodeError:
        return False
