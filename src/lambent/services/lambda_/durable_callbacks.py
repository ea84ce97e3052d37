"""Callbacks of durable executions: SendDurableExecutionCallbackSuccess, Failure and Heartbeat."""

from collections.abc import Callable
from functools import partial
from typing import Any

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.durable_execution.callbacks import (
    CLOSED_MESSAGE,
    complete_callback,
    fail_callback,
    heartbeat_callback,
)
from lambent.model.lambda_errors import CallbackTimeoutException, InvalidParameterValueException
from lambent.services.lambda_.durable_execution_arn import execution_of, parse_callback_id
from lambent.services.lambda_.ports import DurableExecutions
from lambent.store.ports.errors import NotFoundError


class DurableCallbacks:
    def __init__(self, executions: DurableExecutions, clock: Clock) -> None:
        self._executions = executions
        self._clock = clock

    async def succeed(self, caller: Caller, parameters: Parameters) -> Parameters:
        try:
            result = parameters["Result"].decode() if "Result" in parameters else None
        except UnicodeDecodeError as error:
            raise InvalidParameterValueException(
                "The callback result could not be decoded as UTF-8."
            ) from error
        decide = partial(complete_callback, result=result or None)
        return await self._tell(caller, "SendDurableExecutionCallbackSuccess", parameters, decide)

    async def fail(self, caller: Caller, parameters: Parameters) -> Parameters:
        decide = partial(fail_callback, error=parameters.get("Error", {}))
        return await self._tell(caller, "SendDurableExecutionCallbackFailure", parameters, decide)

    async def heartbeat(self, caller: Caller, parameters: Parameters) -> Parameters:
        return await self._tell(
            caller, "SendDurableExecutionCallbackHeartbeat", parameters, heartbeat_callback
        )

    async def _tell(
        self, caller: Caller, action: str, parameters: Parameters, decide: Callable[..., Any]
    ) -> Parameters:
        text = parameters["CallbackId"]
        callback = parse_callback_id(text)
        key = execution_of(caller, action, callback.execution_arn)
        of_this = partial(decide, operation_id=callback.operation_id, callback_id=text, now=self._clock.now())
        try:
            await self._executions.change(key, of_this)
        except NotFoundError as error:
            raise CallbackTimeoutException(CLOSED_MESSAGE) from error
        return {}
