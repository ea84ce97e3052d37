"""InvokeWithResponseStream: the response in events, while the function produces it.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html
"""

from base64 import b64encode
from collections.abc import AsyncGenerator, Sequence

import msgspec

from lambent.model.caller import Caller, Parameters
from lambent.model.invocation import InvocationResult
from lambent.services.lambda_.invoke import requested
from lambent.services.lambda_.ports import Invoker, ResponseStream


class InvokeWithResponseStream:
    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker

    async def invoke(self, caller: Caller, parameters: Parameters) -> Parameters:
        invocation = requested(caller, parameters, "RequestResponse")
        if parameters.get("InvocationType") == "DryRun":
            await self._invoker.check(invocation.function, invocation.qualifier, invocation.tenant_id)
            return {"StatusCode": 204, "EventStream": _these(())}
        stream = await self._invoker.stream(invocation)
        return {
            "StatusCode": 200,
            "ExecutedVersion": stream.executed_version,
            "EventStream": _events(stream, tail_log=invocation.tail_log),
        }


async def _events(stream: ResponseStream, *, tail_log: bool) -> AsyncGenerator[Parameters, None]:
    async for piece in stream.pieces():
        yield {"PayloadChunk": {"Payload": piece}}
    result = stream.result
    assert result is not None
    if not stream.streamed and result.function_error is None:
        yield {"PayloadChunk": {"Payload": result.payload}}
    complete: Parameters = {}
    if result.function_error is not None:
        # Of what a function wrote before it failed, the caller has learned; so the error says more.
        complete["ErrorCode"] = error_type(result) if stream.streamed else result.function_error
        complete["ErrorDetails"] = result.payload.decode("utf-8", "replace")
    if tail_log:
        complete["LogResult"] = b64encode(result.log_tail).decode("ascii")
    yield {"InvokeComplete": complete}


def error_type(result: InvocationResult) -> str:
    """What the function called its error."""
    try:
        described = msgspec.json.decode(result.payload, type=dict[str, object])
    except (msgspec.DecodeError, msgspec.ValidationError):
        described = {}
    named = described.get("errorType")
    return named if isinstance(named, str) else "Unhandled"


async def _these(events: Sequence[Parameters]) -> AsyncGenerator[Parameters, None]:
    for event in events:
        yield event
