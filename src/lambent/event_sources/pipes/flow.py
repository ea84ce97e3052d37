"""One batch through a pipe: transform, enrich, transform, target. What failed comes again from the source.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.event_sources.pipes.execution_log import ExecutionLog
from lambent.event_sources.pipes.target import Batch, Failed, Targets, invoke, is_empty
from lambent.event_sources.pipes.template import Event, transformed
from lambent.model.caller import Caller, RoleCallers
from lambent.model.error import ServiceException
from lambent.model.input_template import InvalidInputError
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.lambda_errors import TooManyRequestsException
from lambent.model.pipe import PIPES, Pipe
from lambent.model.service import Client
from lambent.targets.failure import DeliveryFailedError, failure_of

log = logging.getLogger(__name__)

Count = Callable[[str, float], None]
"""Takes a metric of the pipe by CloudWatch's name, and its value."""


class Flow:
    """Called as an event source mapping's function would be: delivery.Invoke. A failure of all is a function's error,
    one of some an answer that names them."""

    def __init__(self, pipe: Pipe, client: Client, roles: RoleCallers, clock: Clock, count: Count) -> None:
        self._pipe = pipe
        self._client = client
        self._roles = roles
        self._clock = clock
        self._count = count
        self._targets = Targets(client, clock)

    async def session(self) -> Caller:
        """Of the pipe's role. Raises AccessDeniedException."""
        return await self._roles.assume(
            self._pipe.role_arn,
            PIPES,
            region=self._pipe.region,
            session_name=self._pipe.name,
            source_arn=self._pipe.arn(partition_of(self._pipe.region)),
        )

    async def __call__(self, invocation: Invocation) -> InvocationResult:
        """Raises TooManyRequestsException where the batch is to be tried again soon."""
        records = orjson.loads(invocation.payload)["Records"]
        self._count("Invocations", 1)
        self._count("EventCount", len(records))
        begun, told = self._clock.monotonic(), ExecutionLog(self._pipe, self._client, self._clock)
        try:
            return await self._executed(records, told)
        finally:
            self._count("Duration", (self._clock.monotonic() - begun) * 1000)
            await told.write()

    async def _executed(self, records: Sequence[Mapping[str, Any]], told: ExecutionLog) -> InvocationResult:
        """Raises TooManyRequestsException."""
        told.say("INFO", "ExecutionStarted", payload=[orjson.dumps(record).decode() for record in records])
        try:
            failed = await self._through(records, told)
        except (ServiceException, InvalidInputError, DeliveryFailedError) as error:
            return self._failure(error, told)
        if failed:
            self._count("ExecutionPartiallyFailed", 1)
            told.say("ERROR", "ExecutionPartiallyFailed")
        else:
            told.say("INFO", "ExecutionSucceeded")
        names = [{"itemIdentifier": each} for each in failed]
        return InvocationResult(
            payload=orjson.dumps({"batchItemFailures": names}), executed_version=self._pipe.name
        )

    async def _through(self, records: Sequence[Mapping[str, Any]], told: ExecutionLog) -> Sequence[str]:
        """Which messages come again. Raises ServiceException, InvalidInputError, DeliveryFailedError."""
        caller = await self.session()
        events = [Event.of_message(record) for record in records]
        if self._pipe.enrichment is not None:
            with self._stage("EnrichmentStage", told):
                events = await self._enriched(caller, self._pipe.enrichment, events)
            if not events:
                told.say("INFO", "TargetStageSkipped")
                return ()
        with self._stage("TargetStage", told):
            inputs = self._inputs(events, self._pipe.target_parameters)
            failed = await self._targets.give(Batch(self._pipe, caller, events, inputs))
        return self._again(records, failed)

    @contextmanager
    def _stage(self, name: str, told: ExecutionLog) -> Iterator[None]:
        told.say("INFO", f"{name}Entered")
        try:
            yield
        except Exception as error:
            self._count(f"{name}Failed", 1)
            told.say("ERROR", f"{name}Failed", error=error)
            raise
        told.say("INFO", f"{name}Succeeded")

    async def _enriched(self, caller: Caller, function: str, events: Sequence[Event]) -> list[Event]:
        inputs = self._inputs(events, self._pipe.enrichment_parameters)
        answer = await invoke(self._client, caller, function, inputs)
        if is_empty(answer):
            return []
        try:
            found = orjson.loads(answer)
        except orjson.JSONDecodeError:
            found = answer.decode(errors="replace")
        return [Event(each, each) for each in (found if isinstance(found, list) else [found])]

    def _inputs(self, events: Sequence[Event], parameters: Mapping[str, Any]) -> list[str]:
        template = parameters.get("InputTemplate")
        if not template:
            return [orjson.dumps(event.whole).decode() for event in events]
        return [transformed(template, event, self._variables()) for event in events]

    def _variables(self) -> Mapping[str, str]:
        pipe, now = self._pipe, datetime.fromtimestamp(self._clock.now(), UTC)
        return {
            "pipe-arn": pipe.arn(partition_of(pipe.region)),
            "pipe-name": pipe.name,
            "source-arn": pipe.source,
            "enrichment-arn": pipe.enrichment or "",
            "target-arn": pipe.target,
            "event.ingestion-time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def _again(self, records: Sequence[Mapping[str, Any]], failed: Failed) -> Sequence[str]:
        """An enrichment's answers are nobody's messages: where one of them fails, all come again."""
        if failed.places and self._pipe.enrichment is not None:
            return [record["messageId"] for record in records]
        places = [record["messageId"] for place, record in enumerate(records) if place in failed.places]
        return [*places, *failed.messages]

    def _failure(self, error: Exception, told: ExecutionLog) -> InvocationResult:
        """Raises TooManyRequestsException."""
        if isinstance(error, ServiceException) and failure_of(error).code == "THROTTLING":
            self._count("ExecutionThrottled", 1)
            told.say("ERROR", "ExecutionThrottled", error=error)
            raise TooManyRequestsException(error.message) from error
        self._count("ExecutionFailed", 1)
        told.say("ERROR", "ExecutionFailed", error=error)
        log.warning("the pipe %s: %s", self._pipe.arn(partition_of(self._pipe.region)), error)
        return InvocationResult(payload=b"", executed_version=self._pipe.name, function_error="Unhandled")
