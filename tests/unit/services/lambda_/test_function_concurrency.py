from typing import Any

import pytest

from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException

ARN = "arn:aws:lambda:us-east-1:123456789012:function"


async def put(aws: Any, name: str, executions: int) -> Any:
    return await aws.call(
        "PutFunctionConcurrency", FunctionName=name, ReservedConcurrentExecutions=executions
    )


async def test_reserved_concurrency_is_put_got_shown_and_deleted(aws: Any) -> None:
    await aws.create()
    assert await aws.call("GetFunctionConcurrency", FunctionName="hello") == {}
    assert "Concurrency" not in await aws.call("GetFunction", FunctionName="hello")
    assert await put(aws, "hello", 0) == {"ReservedConcurrentExecutions": 0}
    assert await put(aws, "hello", 7) == {"ReservedConcurrentExecutions": 7}
    assert await aws.call("GetFunctionConcurrency", FunctionName="hello") == {
        "ReservedConcurrentExecutions": 7
    }
    got = await aws.call("GetFunction", FunctionName="hello")
    assert got["Concurrency"] == {"ReservedConcurrentExecutions": 7}
    assert await aws.call("DeleteFunctionConcurrency", FunctionName="hello") == {}
    assert await aws.call("DeleteFunctionConcurrency", FunctionName="hello") == {}
    assert await aws.call("GetFunctionConcurrency", FunctionName="hello") == {}
    assert len(aws.allotments.refreshed) == 4


async def test_a_hundred_stay_unreserved(aws: Any) -> None:
    await aws.create("a")
    await aws.create("b")
    await put(aws, "a", 600)
    with pytest.raises(InvalidParameterValueException) as raised:
        await put(aws, "b", 301)
    assert raised.value.message == (
        "Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [100]."
    )
    assert raised.value.members["Type"] is None
    await put(aws, "b", 300)
    settings = await aws.call("GetAccountSettings")
    assert settings["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 100


async def test_what_is_not_there_is_named_as_aws_names_it(aws: Any) -> None:
    for call in (
        put(aws, "nobody", 100_000),
        aws.call("DeleteFunctionConcurrency", FunctionName="nobody"),
    ):
        with pytest.raises(ResourceNotFoundException, match=rf"^Function not found: {ARN}:nobody:\$LATEST$"):
            await call
    with pytest.raises(ResourceNotFoundException, match=rf"^Function not found: {ARN}:nobody$"):
        await aws.call("GetFunctionConcurrency", FunctionName="nobody")


async def test_versions_and_aliases_have_no_reservation(aws: Any) -> None:
    await aws.create()
    for qualifier in ("1", "$LATEST"):
        with pytest.raises(InvalidParameterValueException, match="permitted on Lambda functions only"):
            await put(aws, f"{ARN}:hello:{qualifier}", 1)
