"""Invoke, InvokeAsync: from the request to the data plane and back. The hot path: one await, no model walked.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import binascii
import logging
from base64 import b64decode, b64encode

import msgspec

from lambent.model.caller import Caller, Parameters
from lambent.model.invocation import Invocation
from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    InvalidRequestContentException,
    RequestEntityTooLargeException,
    ServiceException_,
)
from lambent.services.lambda_.function_reference import parse_reference
from lambent.services.lambda_.ports import Invoker
from lambent.store.ports.errors import StoreFullError
from lambent.wire.json_faults import why_not_json

log = logging.getLogger(__name__)

SYNCHRONOUS_LARGEST = 6_291_456
EVENT_LARGEST = 1_048_576
INVOKE_ASYNC_LARGEST = 131_072
_CLIENT_CONTEXT_LARGEST = 3583

_check_json = msgspec.json.Decoder(msgspec.Raw).decode
_check_json_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
"""The first reads JSON through without building anything: 20 times faster than a parse for large payloads."""


class Invoke:
    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker

    async def invoke(self, caller: Caller, parameters: Parameters) -> Parameters:
        invocation_type = parameters.get("InvocationType", "RequestResponse")
        invocation = requested(caller, parameters, invocation_type)
        if invocation.durable_execution_name is not None:
            await self._require_durable(invocation)
        if invocation_type == "RequestResponse":
            return await self._run(invocation)
        if invocation_type == "Event":
            return {"StatusCode": 202, "Payload": b"", **await self._enqueue(invocation)}
        await self._invoker.check(invocation.function, invocation.qualifier, invocation.tenant_id)
        return {"StatusCode": 204, "Payload": b""}

    async def invoke_async(self, caller: Caller, parameters: Parameters) -> Parameters:
        """What Invoke with the type Event was before: deprecated, without qualifier, with a smaller limit.

        Source: https://docs.aws.amazon.com/lambda/latest/api/API_InvokeAsync.html"""
        reference = parse_reference(parameters["FunctionName"], None, caller.account_id, caller.region)
        payload = parameters["InvokeArgs"] or b"{}"
        if len(payload) > INVOKE_ASYNC_LARGEST:
            raise RequestEntityTooLargeException(
                f"Request must be smaller than {INVOKE_ASYNC_LARGEST} bytes for the InvokeAsync operation"
            )
        _require_payload(payload, "Event")
        await self._enqueue(
            Invocation(
                request_id=caller.request_id,
                function=reference.function,
                qualifier=reference.qualifier,
                invoked_arn=reference.arn,
                payload=payload,
                trace_id=caller.headers.get("x-amzn-trace-id"),
            )
        )
        return {"Status": 202}

    async def _require_durable(self, invocation: Invocation) -> None:
        """Only a durable function has executions that could be named."""
        version = await self._invoker.check(invocation.function, invocation.qualifier, invocation.tenant_id)
        if version.durable is None:
            raise InvalidParameterValueException(
                "You cannot specify a durable execution name for a function that is not durable."
            )

    async def _enqueue(self, invocation: Invocation) -> Parameters:
        """Returns what the answer says of a durable execution that was started."""
        try:
            arn = await self._invoker.enqueue(invocation)
            return {} if arn is None else {"DurableExecutionArn": arn}
        except StoreFullError as error:
            log.error("an event was not accepted: %s", error)
            raise ServiceException_(
                "The event could not be stored: the disk of this host is full."
            ) from error

    async def _run(self, invocation: Invocation) -> Parameters:
        result = await self._invoker.invoke(invocation)
        answer: Parameters = {
            "StatusCode": 200,
            "ExecutedVersion": result.executed_version,
            "Payload": result.payload,
        }
        if result.function_error is not None:
            answer["FunctionError"] = result.function_error
        if result.durable_execution_arn is not None:
            answer["DurableExecutionArn"] = result.durable_execution_arn
        if invocation.tail_log:
            answer["LogResult"] = b64encode(result.log_tail).decode("ascii")
        return answer


def requested(caller: Caller, parameters: Parameters, invocation_type: str) -> Invocation:
    """What the parameters of an Invoke operation ask for. Raises as `parse_reference`, and for payload and context."""
    reference = parse_reference(
        parameters["FunctionName"], parameters.get("Qualifier"), caller.account_id, caller.region
    )
    payload = parameters.get("Payload") or b"{}"
    _require_payload(payload, invocation_type)
    client_context = None
    if "ClientContext" in parameters:
        client_context = _client_context(parameters["ClientContext"])
    return Invocation(
        request_id=caller.request_id,
        function=reference.function,
        qualifier=reference.qualifier,
        invoked_arn=reference.arn,
        payload=payload,
        client_context=client_context,
        trace_id=caller.headers.get("x-amzn-trace-id"),
        tenant_id=parameters.get("TenantId"),
        tail_log=parameters.get("LogType") == "Tail",
        durable_execution_name=parameters.get("DurableExecutionName"),
    )


def _require_payload(payload: bytes, invocation_type: str) -> None:
    """Raises RequestEntityTooLargeException, InvalidRequestContentException."""
    if len(payload) > EVENT_LARGEST:
        if invocation_type == "Event":
            raise RequestEntityTooLargeException(
                f"{len(payload)} byte payload is too large for the Event invocation type (limit {EVENT_LARGEST} bytes)"
            )
        if len(payload) > SYNCHRONOUS_LARGEST:
            raise RequestEntityTooLargeException(
                f"Request must be smaller than {SYNCHRONOUS_LARGEST} bytes for the InvokeFunction operation"
            )
    try:
        _check_json(payload)
        if not payload.isascii():
            str(payload, "utf-8")
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        reason = why_not_json(payload, error)
        raise InvalidRequestContentException(
            f"Could not parse request body into json: Could not parse payload into json: {reason}"
        ) from error


def _client_context(encoded: str) -> str:
    """The JSON text behind the X-Amz-Client-Context header. Raises InvalidRequestContentException."""
    if len(encoded) > _CLIENT_CONTEXT_LARGEST:
        raise InvalidRequestContentException(
            f"Client context must be at most {_CLIENT_CONTEXT_LARGEST} bytes of base64-encoded data."
        )
    try:
        text = b64decode(encoded, validate=True)
        _check_json_object(text)
        return text.decode("utf-8")
    except (binascii.Error, msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidRequestContentException(
            "Client context must be a valid Base64-encoded JSON object."
        ) from error
