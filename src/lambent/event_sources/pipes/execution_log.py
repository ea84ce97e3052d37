"""What a pipe's log group is told of an execution, as its LogConfiguration asks for it.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-logs.html
"""

import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson

from lambent.base.arn import Arn, partition_of
from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import Parameters, account_caller
from lambent.model.error import ServiceException
from lambent.model.pipe import PIPES, Pipe
from lambent.model.service import Client
from lambent.store.ports.errors import StoreError

log = logging.getLogger(__name__)

Level = Literal["ERROR", "INFO"]
_SAID: Mapping[str, frozenset[str]] = {
    "OFF": frozenset(),
    "ERROR": frozenset({"ERROR"}),
    "INFO": frozenset({"ERROR", "INFO"}),
    "TRACE": frozenset({"ERROR", "INFO"}),
}
_PAYLOAD_MOST = 262_144 - 16_384
"""Bytes of a line that its payload may take."""


class ExecutionLog:
    """Of one execution: `say` what happens, `write` it at the end. A log that cannot be written stops no pipe."""

    def __init__(self, pipe: Pipe, client: Client, clock: Clock) -> None:
        settings = pipe.log_configuration
        self._pipe = pipe
        self._client = client
        self._clock = clock
        self._levels = _SAID[settings.get("Level", "OFF")]
        self._with_data = "ALL" in settings.get("IncludeExecutionData", ())
        self._execution = new_uuid()
        self._lines: list[Parameters] = []

    def say(
        self, level: Level, message_type: str, *, payload: Sequence[str] = (), error: Exception | None = None
    ) -> None:
        if level not in self._levels:
            return
        said: dict[str, Any] = {
            "resourceArn": self._pipe.arn(partition_of(self._pipe.region)),
            "timestamp": int(self._clock.now() * 1000),
            "executionId": self._execution,
            "messageType": message_type,
            "logLevel": level,
        }
        if self._with_data and payload:
            text = f"[{','.join(payload)}]"
            said["payload"] = text[:_PAYLOAD_MOST]
            said["truncatedFields"] = ["payload"] if len(text) > _PAYLOAD_MOST else []
        if error is not None:
            said["error"] = {"message": str(error)}
        self._lines.append({"timestamp": said["timestamp"], "message": orjson.dumps(said).decode()})

    async def write(self) -> None:
        if not self._lines:
            return
        group = Arn.parse(self._pipe.log_configuration["CloudwatchLogsLogDestination"]["LogGroupArn"])
        caller = account_caller(PIPES, account_id=self._pipe.account_id, region=group.region)
        name = group.resource.removeprefix("log-group:").removesuffix(":*")
        stream: Parameters = {"logGroupName": name, "logStreamName": self._pipe.name}
        asked = {**stream, "logEvents": self._lines}
        try:
            try:
                await self._client("logs", "PutLogEvents", caller, asked)
            except ServiceException as error:
                if error.code != "ResourceNotFoundException":
                    raise
                with contextlib.suppress(ServiceException):  # somebody else may have made it
                    await self._client("logs", "CreateLogStream", caller, stream)
                await self._client("logs", "PutLogEvents", caller, asked)
        except (ServiceException, StoreError) as error:
            log.warning("the log of the pipe %s: %s", self._pipe.name, error)
