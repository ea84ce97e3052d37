"""DurableConfig, and the operations on durable executions: what they take, show and refuse."""

from typing import Any

import pytest
from durable_driver import FUNCTION, start, step

from lambent.model.durable_execution.starting import started
from lambent.model.durable_execution.timers import advance
from lambent.model.durable_execution.tokens import CallbackId
from lambent.model.durable_execution.values import ExecutionKey
from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.lambda_errors import (
    CallbackTimeoutException,
    InvalidParameterValueException,
    ResourceNotFoundException,
)
from lambent.services.lambda_.resource import resource_arn

ARN = f"{FUNCTION.arn('7')}/durable-execution/order-1/e-1"
KEY = ExecutionKey(FUNCTION.account_id, FUNCTION.region, "e-1")


@pytest.fixture
async def here(aws: Any) -> Any:
    """The service in the region of the execution, whose function runs."""
    here = aws.by(region=FUNCTION.region)
    await aws.durable_store.start(started(start(), aws.clock.now()))
    await aws.durable_store.change(KEY, lambda state: advance(state, aws.clock.now(), "i-1"))
    return here


def token(aws: Any) -> str:
    from lambent.model.durable_execution.tokens import CheckpointToken

    return str(CheckpointToken("e-1", "i-1", aws.durable_store.states[KEY].execution.token))


async def checkpoint(here: Any, *updates: Any) -> Any:
    return await here.call(
        "CheckpointDurableExecution",
        DurableExecutionArn=ARN,
        CheckpointToken=token(here),
        Updates=list(updates),
    )


async def test_a_function_is_durable_from_its_creation_on(aws: Any) -> None:
    created = await aws.create(DurableConfig={"ExecutionTimeout": 60})
    assert created["DurableConfig"] == {"RetentionPeriodInDays": 14, "ExecutionTimeout": 60}
    changed = await aws.call(
        "UpdateFunctionConfiguration", FunctionName="hello", DurableConfig={"RetentionPeriodInDays": 3}
    )
    assert changed["DurableConfig"] == {"RetentionPeriodInDays": 3, "ExecutionTimeout": 60}
    await aws.settle()
    unchanged = await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Description="d")
    assert unchanged["DurableConfig"] == changed["DurableConfig"]
    await aws.settle()
    version = await aws.call("PublishVersion", FunctionName="hello")
    assert version["DurableConfig"] == changed["DurableConfig"]


async def test_a_function_that_is_not_durable_stays_so(aws: Any) -> None:
    assert "DurableConfig" not in await aws.create(DurableConfig={})
    with pytest.raises(InvalidParameterValueException, match="only be set when the function is created"):
        await aws.call(
            "UpdateFunctionConfiguration", FunctionName="hello", DurableConfig={"ExecutionTimeout": 1}
        )


async def test_an_execution_as_it_is_shown(here: Any) -> None:
    now = here.clock.now()
    shown = await here.call("GetDurableExecution", DurableExecutionArn=ARN)
    assert shown == {
        "DurableExecutionArn": ARN,
        "DurableExecutionName": "order-1",
        "FunctionArn": FUNCTION.arn("7"),
        "InputPayload": '{"order": 1}',
        "StartTimestamp": now,
        "Status": "RUNNING",
        "Version": "7",
        "ExecutionDataIncluded": True,
        "DurableConfig": {"RetentionPeriodInDays": 2, "ExecutionTimeout": 3600},
        "ExpectedExecutionTimeoutTimestamp": now + 3600,
    }
    compact = await here.call("GetDurableExecution", DurableExecutionArn=ARN, IncludeExecutionData=False)
    assert "InputPayload" not in compact
    assert compact["ExecutionDataIncluded"] is False


ON_EXECUTIONS = [
    "GetDurableExecution",
    "GetDurableExecutionHistory",
    "StopDurableExecution",
    "DeleteDurableExecution",
    "PauseDurableExecution",
    "ResumeDurableExecution",
]


@pytest.mark.parametrize("operation", ON_EXECUTIONS)
@pytest.mark.parametrize(
    "arn",
    [
        ARN.replace("e-1", "e-2"),
        ARN.replace("order-1", "order-2"),
        ARN.replace(":7/", ":8/"),
        ARN.replace("eu-west-1", "us-east-1"),
    ],
)
async def test_an_execution_that_is_not_there(here: Any, operation: str, arn: str) -> None:
    with pytest.raises(ResourceNotFoundException, match="Durable Execution does not exist"):
        await here.call(operation, DurableExecutionArn=arn)


@pytest.mark.parametrize("operation", ON_EXECUTIONS)
async def test_executions_of_others(here: Any, operation: str) -> None:
    with pytest.raises(AccessDeniedException, match=f"lambda:{operation}"):
        await here.by(account_id="999999999999").call(operation, DurableExecutionArn=ARN)


async def test_checkpoints_and_state(here: Any) -> None:
    answer = await checkpoint(here, *(step(f"s{number}") for number in range(3)))
    assert [one["Id"] for one in answer["NewExecutionState"]["Operations"]] == ["s0", "s1", "s2"]
    state = {"DurableExecutionArn": ARN, "CheckpointToken": answer["CheckpointToken"], "MaxItems": 2}
    page = await here.call("GetDurableExecutionState", **state)
    assert [one["Id"] for one in page["Operations"]] == ["e-1", "s0"]
    page = await here.call("GetDurableExecutionState", **state, Marker=page["NextMarker"])
    assert [one["Id"] for one in page["Operations"]] == ["s1", "s2"]
    assert page["NextMarker"] == ""
    with pytest.raises(InvalidParameterValueException, match="Invalid Marker"):
        await here.call("GetDurableExecutionState", **state, Marker="x")


@pytest.mark.parametrize(
    ("operation", "more"), [("CheckpointDurableExecution", {}), ("GetDurableExecutionState", {})]
)
async def test_what_is_not_there_has_no_valid_token(here: Any, operation: str, more: Any) -> None:
    for arn in (ARN.replace("e-1", "e-2"), ARN.replace(":7/", ":8/")):
        with pytest.raises(InvalidParameterValueException, match="Invalid checkpoint token"):
            await here.call(operation, DurableExecutionArn=arn, CheckpointToken=token(here))


def chained(name: str) -> Any:
    return {
        "Id": "i",
        "Type": "CHAINED_INVOKE",
        "Action": "START",
        "ChainedInvokeOptions": {"FunctionName": name},
    }


async def test_where_chained_invocations_may_go(here: Any) -> None:
    for arn, where in (
        ("arn:aws:lambda:us-east-1:123456789012:function:f", "region"),
        ("arn:aws:lambda:eu-west-1:999999999999:function:f", "account"),
    ):
        with pytest.raises(
            InvalidParameterValueException,
            match=f"Cannot start a CHAINED_INVOKE on a function in another {where}",
        ):
            await checkpoint(here, chained(arn))
    here.policies.denied.add(
        ("lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:123456789012:function:f:live")
    )
    answer = await checkpoint(here, chained("f:live"))
    (operation,) = answer["NewExecutionState"]["Operations"]
    assert operation["Status"] == "FAILED"
    assert operation["ChainedInvokeDetails"]["Error"]["ErrorType"] == "AccessDeniedException"


async def test_a_chained_invocation_of_what_cannot_be_invoked(here: Any) -> None:
    here.invoker.version = ServiceException("not now")
    answer = await checkpoint(here, chained("f"))
    (operation,) = answer["NewExecutionState"]["Operations"]
    assert operation["ChainedInvokeDetails"]["Error"] == {
        "ErrorType": "ServiceException",
        "ErrorMessage": "not now",
    }


async def test_callbacks_are_told_by_their_ids(here: Any) -> None:
    answer = await checkpoint(here, {"Id": "c", "Type": "CALLBACK", "Action": "START"})
    (operation,) = answer["NewExecutionState"]["Operations"]
    id = operation["CallbackDetails"]["CallbackId"]
    assert resource_arn("SendDurableExecutionCallbackSuccess", here.caller, {"CallbackId": id}) == ARN
    await here.call("SendDurableExecutionCallbackHeartbeat", CallbackId=id)
    with pytest.raises(AccessDeniedException):
        await here.by(account_id="999999999999").call("SendDurableExecutionCallbackSuccess", CallbackId=id)
    with pytest.raises(InvalidParameterValueException, match="UTF-8"):
        await here.call("SendDurableExecutionCallbackSuccess", CallbackId=id, Result=b"\xff")
    await here.call("SendDurableExecutionCallbackFailure", CallbackId=id, Error={"ErrorType": "E"})
    for gone in (id, str(CallbackId(ARN.replace("e-1", "e-2"), "c", "secret"))):
        with pytest.raises(CallbackTimeoutException, match="either timed out or already completed"):
            await here.call("SendDurableExecutionCallbackSuccess", CallbackId=gone)
    for nonsense in ("AAAA", str(CallbackId("arn:of:something:else", "c", "secret"))):
        with pytest.raises(InvalidParameterValueException, match="Invalid callback id"):
            await here.call("SendDurableExecutionCallbackHeartbeat", CallbackId=nonsense)


async def test_history_in_pages(here: Any) -> None:
    await checkpoint(here, step("a"), step("b"))
    page = await here.call("GetDurableExecutionHistory", DurableExecutionArn=ARN, MaxItems=2)
    assert [event["EventId"] for event in page["Events"]] == [1, 2]
    rest = await here.call("GetDurableExecutionHistory", DurableExecutionArn=ARN, Marker=page["NextMarker"])
    assert [event["EventId"] for event in rest["Events"]] == [3]
    assert "NextMarker" not in rest
    for marker in ("x", "eyJ9", page["NextMarker"][:-4] + "bm8="):
        with pytest.raises(InvalidParameterValueException, match="Invalid Marker"):
            await here.call("GetDurableExecutionHistory", DurableExecutionArn=ARN, Marker=marker)


async def test_lists_of_a_function(aws: Any) -> None:
    await aws.create("orders")
    with pytest.raises(InvalidParameterValueException, match="more than one status"):
        await aws.call(
            "ListDurableExecutionsByFunction", FunctionName="orders", Statuses=["RUNNING", "FAILED"]
        )
    with pytest.raises(ResourceNotFoundException):
        await aws.call("ListDurableExecutionsByFunction", FunctionName="nowhere")
    listed = await aws.call("ListDurableExecutionsByFunction", FunctionName="orders")
    assert listed == {"DurableExecutions": []}
