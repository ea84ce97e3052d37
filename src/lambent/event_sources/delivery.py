"""One batch, to the function and back: what refuses is asked again for as long as the records are ours."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.event_sources.batch_response import done
from lambent.event_sources.source import EventSource, Record
from lambent.event_sources.work import Work
from lambent.model.error import ServiceException
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.lambda_errors import (
    RecursiveInvocationException,
    ResourceConflictException,
    ResourceNotFoundException,
    ResourceNotReadyException,
    ServiceException_,
    TooManyRequestsException,
)

log = logging.getLogger(__name__)

Invoke = Callable[[Invocation], Awaitable[InvocationResult]]
"""The data plane's invoke. Raises Lambda's errors where the function did not run."""

_FIRST_WAIT = 0.25
_LONGEST_WAIT = 10.0
_SHARE_OF_HOLD = 0.8
"""Of the time for which records are ours, after which they are rather left than kept any longer."""

_PASSING = (
    ResourceConflictException,
    ResourceNotFoundException,
    ResourceNotReadyException,
    ServiceException_,
    TooManyRequestsException,
)
"""What refuses a function now and may be over in a moment: no concurrency, an update, a function that is made anew."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`done` are settled. `refused`: the function did not run; `hopeless`: nor will it ever for these records."""

    done: Sequence[Record]
    refused: bool = False
    hopeless: bool = False


class Delivery:
    def __init__(
        self,
        mapping: Work,
        source: EventSource,
        invoke: Invoke,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._mapping = mapping
        self._source = source
        self._invoke = invoke
        self._clock = clock
        self._sleep = sleep
        self._reports_failures = "ReportBatchItemFailures" in mapping.settings.get(
            "FunctionResponseTypes", ()
        )

    async def deliver(
        self, batch: Sequence[Record], hold_seconds: float, refused: Callable[[], None]
    ) -> Outcome:
        """Calls `refused` each time that the function does not run."""
        begun = self._clock.monotonic()
        wait = _FIRST_WAIT
        while True:
            try:
                result = await self._invoke(self._invocation(batch))
            except RecursiveInvocationException:
                return Outcome((), refused=True, hopeless=True)
            except ServiceException as error:
                refused()
                held = self._clock.monotonic() - begun
                if not isinstance(error, _PASSING) or held + wait > _SHARE_OF_HOLD * hold_seconds:
                    log.info(
                        "%s did not run for %s: %s", self._mapping.function_arn, self._mapping.uuid, error
                    )
                    return Outcome((), refused=True)
                await self._sleep(wait)
                wait = min(2 * wait, _LONGEST_WAIT)
                continue
            return Outcome(done(batch, result, reports_failures=self._reports_failures))

    def _invocation(self, batch: Sequence[Record]) -> Invocation:
        return Invocation(
            request_id=new_uuid(),
            function=self._mapping.function,
            qualifier=self._mapping.qualifier,
            invoked_arn=self._mapping.function_arn,
            payload=self._source.event(batch),
            trace_id=_trace_header(batch),
        )


def _trace_header(batch: Sequence[Record]) -> str | None:
    """Of one record, for all: the first that tells of earlier invocations, so that a loop is found."""
    headers = [record.trace_header for record in batch if record.trace_header]
    return next((header for header in headers if "Lineage=" in header), headers[0] if headers else None)
