import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest

from lambent.model.function import DurableConfig, FunctionId
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    InvalidRequestContentException,
    RequestEntityTooLargeException,
)

HELLO = FunctionId("123456789012", "us-east-1", "hello")


async def test_a_synchronous_invocation(aws: Any) -> None:
    caller = aws.by(headers={"x-amzn-trace-id": "Root=1"})
    answer = await caller.call("Invoke", FunctionName="hello", Payload=b'{"a": 1}')
    assert answer == {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": b'"ok"'}
    invocation = Invocation(
        request_id="request-1",
        function=HELLO,
        invoked_arn=HELLO.arn(),
        payload=b'{"a": 1}',
        trace_id="Root=1",
    )
    assert aws.invoker.calls == [("invoke", invocation)]


async def test_errors_of_the_function_and_its_log(aws: Any) -> None:
    aws.invoker.result = InvocationResult(
        payload=b"{}", executed_version="3", function_error="Unhandled", log_tail=b"END\n"
    )
    answer = await aws.call("Invoke", FunctionName="hello", Qualifier="live", LogType="Tail")
    assert (answer["FunctionError"], answer["ExecutedVersion"]) == ("Unhandled", "3")
    assert base64.b64decode(answer["LogResult"]) == b"END\n"
    ((_, invocation),) = aws.invoker.calls
    assert (invocation.qualifier, invocation.invoked_arn) == ("live", HELLO.arn("live"))
    assert invocation.tail_log


async def test_no_payload_is_an_empty_event(aws: Any) -> None:
    await aws.call("Invoke", FunctionName="hello", Payload=b"")
    assert aws.invoker.calls[0][1].payload == b"{}"


async def test_events_are_enqueued_and_dry_runs_only_checked(aws: Any) -> None:
    assert (await aws.call("Invoke", FunctionName="hello", InvocationType="Event"))["StatusCode"] == 202
    assert (await aws.call("Invoke", FunctionName="hello:2", InvocationType="DryRun"))["StatusCode"] == 204
    (enqueued, event), checked = aws.invoker.calls
    assert (enqueued, event.function, event.qualifier) == ("enqueue", HELLO, None)
    assert checked == ("check", (HELLO, "2", None))


@pytest.mark.parametrize(
    "payload",
    [
        b"nul",
        b"{a:1}",
        b"[1,]",
        b'{"a":NaN}',
        b'"\xff"',
        b"{} {}",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'"\x01"',
    ],
)
@pytest.mark.parametrize("invocation_type", ["RequestResponse", "Event", "DryRun"])
async def test_what_is_not_json_is_refused(aws: Any, payload: bytes, invocation_type: str) -> None:
    with pytest.raises(InvalidRequestContentException, match=r"^Could not parse request body into json: "):
        await aws.call("Invoke", FunctionName="hello", Payload=payload, InvocationType=invocation_type)
    assert not aws.invoker.calls


@pytest.mark.parametrize("payload", [b"1", b'"x"', b"null", b" [] ", '"é"'.encode(), b"-1.5e3"])
async def test_any_json_value_is_an_event(aws: Any, payload: bytes) -> None:
    await aws.call("Invoke", FunctionName="hello", Payload=payload)
    assert aws.invoker.calls[0][1].payload == payload


async def test_payloads_have_limits(aws: Any) -> None:
    def json_of(size: int) -> bytes:
        return b'"' + b"x" * (size - 2) + b'"'

    await aws.call("Invoke", FunctionName="hello", Payload=json_of(6_291_456))
    with pytest.raises(
        RequestEntityTooLargeException, match="smaller than 6291456 bytes for the InvokeFunction"
    ):
        await aws.call("Invoke", FunctionName="hello", Payload=json_of(6_291_457))
    await aws.call("Invoke", FunctionName="hello", Payload=json_of(1_048_576), InvocationType="Event")
    with pytest.raises(
        RequestEntityTooLargeException, match=r"^1048577 byte payload is too large for the Event"
    ):
        await aws.call("Invoke", FunctionName="hello", Payload=json_of(1_048_577), InvocationType="Event")


async def test_the_client_context_is_json_in_base64(aws: Any) -> None:
    encoded = base64.b64encode(json.dumps({"custom": {"a": "b"}}).encode()).decode()
    await aws.call("Invoke", FunctionName="hello", ClientContext=encoded)
    assert json.loads(aws.invoker.calls[0][1].client_context) == {"custom": {"a": "b"}}
    for bad in ("%%%", base64.b64encode(b"nul").decode(), base64.b64encode(b"[]").decode(), "e30=" * 900):
        with pytest.raises(InvalidRequestContentException, match="Client context"):
            await aws.call("Invoke", FunctionName="hello", ClientContext=bad)


async def test_only_executions_of_durable_functions_have_names(aws: Any) -> None:
    aws.invoker.version = SimpleNamespace(durable=None)
    with pytest.raises(InvalidParameterValueException, match="not durable"):
        await aws.call("Invoke", FunctionName="hello", DurableExecutionName="x")
    aws.invoker.version = SimpleNamespace(durable=DurableConfig())
    aws.invoker.result = InvocationResult(
        payload=b"1", executed_version="1", durable_execution_arn="arn:execution"
    )
    for type in ("RequestResponse", "Event"):
        answer = await aws.call("Invoke", FunctionName="hello", DurableExecutionName="x", InvocationType=type)
        assert answer["DurableExecutionArn"] == "arn:execution"
        assert aws.invoker.calls[-1][1].durable_execution_name == "x"


async def test_a_tenant_goes_with_its_invocation(aws: Any) -> None:
    await aws.call("Invoke", FunctionName="hello", TenantId="blue")
    ((_, invocation),) = aws.invoker.calls
    assert invocation.tenant_id == "blue"


async def test_tenancy_is_shown(aws: Any) -> None:
    created = await aws.create(TenancyConfig={"TenantIsolationMode": "PER_TENANT"})
    assert created["TenancyConfig"] == {"TenantIsolationMode": "PER_TENANT"}
    assert "TenancyConfig" not in await aws.create("other")


async def test_an_arn_of_another_account_reaches_its_function(aws: Any) -> None:
    """Who may is decided before: by the function's policy."""
    await aws.by(account_id="999999999999").call("Invoke", FunctionName=HELLO.arn())
    ((_, invocation),) = aws.invoker.calls
    assert (invocation.function, invocation.invoked_arn) == (HELLO, HELLO.arn())
