from typing import Any

import pytest

from lambent.model.concurrency import ProvisionedStatus
from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    ProvisionedConcurrencyConfigNotFoundException,
    ResourceConflictException,
    ResourceNotFoundException,
)

ARN = "arn:aws:lambda:us-east-1:123456789012:function"


async def put(aws: Any, qualifier: str, executions: int = 1, name: str = "hello") -> Any:
    return await aws.call(
        "PutProvisionedConcurrencyConfig",
        FunctionName=name,
        Qualifier=qualifier,
        ProvisionedConcurrentExecutions=executions,
    )


async def get(aws: Any, qualifier: str, operation: str = "GetProvisionedConcurrencyConfig") -> Any:
    return await aws.call(operation, FunctionName="hello", Qualifier=qualifier)


@pytest.fixture
async def hello(aws: Any) -> Any:
    """A function with the versions 1 and 2 and the alias live of 1."""
    await aws.create()
    await aws.call("PublishVersion", FunctionName="hello")
    await aws.call("CreateAlias", FunctionName="hello", Name="live", FunctionVersion="1")
    await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Timeout=9)
    await aws.settle()
    await aws.call("PublishVersion", FunctionName="hello")
    await aws.settle()
    return aws


async def test_it_is_in_progress_at_first_and_then_what_the_environments_are(hello: Any) -> None:
    assert await put(hello, "1", 5) == {
        "RequestedProvisionedConcurrentExecutions": 5,
        "AvailableProvisionedConcurrentExecutions": 0,
        "AllocatedProvisionedConcurrentExecutions": 0,
        "Status": "IN_PROGRESS",
        "LastModified": "2023-11-14T22:13:22+0000",
    }
    hello.allotments.answer = ProvisionedStatus(ready=5, status="READY")
    got = await get(hello, "1")
    assert (got["Status"], got["AvailableProvisionedConcurrentExecutions"]) == ("READY", 5)
    hello.allotments.answer = ProvisionedStatus(
        ready=0, status="FAILED", reason="FUNCTION_ERROR_INIT_FAILURE"
    )
    assert (await get(hello, "1"))["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"


async def test_configurations_are_listed_and_deleted(hello: Any) -> None:
    await put(hello, "live")
    await put(hello, "2", 7)
    listed = await hello.call("ListProvisionedConcurrencyConfigs", FunctionName="hello", MaxItems=1)
    (first,) = listed["ProvisionedConcurrencyConfigs"]
    assert (first["FunctionArn"], first["RequestedProvisionedConcurrentExecutions"]) == (f"{ARN}:hello:2", 7)
    rest = await hello.call(
        "ListProvisionedConcurrencyConfigs", FunctionName="hello", Marker=listed["NextMarker"]
    )
    assert [config["FunctionArn"] for config in rest["ProvisionedConcurrencyConfigs"]] == [
        f"{ARN}:hello:live"
    ]
    for _ in range(2):
        assert await get(hello, "live", "DeleteProvisionedConcurrencyConfig") == {}
    with pytest.raises(
        ProvisionedConcurrencyConfigNotFoundException, match=r"^No Provisioned Concurrency Config"
    ):
        await get(hello, "live")


async def test_what_is_not_published_has_none(hello: Any) -> None:
    with pytest.raises(
        InvalidParameterValueException, match="cannot be applied to unpublished function versions"
    ):
        await put(hello, "$LATEST")
    await hello.call("CreateAlias", FunctionName="hello", Name="edge", FunctionVersion="$LATEST")
    with pytest.raises(
        InvalidParameterValueException, match="cannot be applied to unpublished function versions"
    ):
        await put(hello, "edge")
    for operation in ("GetProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig"):
        with pytest.raises(InvalidParameterValueException, match="must be an alias or a published version"):
            await get(hello, "$LATEST", operation)


async def test_what_is_not_there(hello: Any) -> None:
    for operation in ("GetProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig"):
        with pytest.raises(ResourceNotFoundException, match=f"^Function not found: {ARN}:hello:9$"):
            await get(hello, "9", operation)
        with pytest.raises(ResourceNotFoundException, match=f"^Cannot find alias arn: {ARN}:hello:nobody$"):
            await get(hello, "nobody", operation)
    with pytest.raises(ResourceNotFoundException, match=f"^Function not found: {ARN}:gone:1$"):
        await put(hello, "1", name="gone")
    with pytest.raises(ResourceNotFoundException, match=f"^Function not found: {ARN}:gone$"):
        await hello.call("ListProvisionedConcurrencyConfigs", FunctionName="gone")


async def test_a_version_is_provisioned_once(hello: Any) -> None:
    await put(hello, "1")
    with pytest.raises(
        ResourceConflictException, match=r"^Alias can't be used .* already Provisioned version$"
    ):
        await put(hello, "live")
    await get(hello, "1", "DeleteProvisionedConcurrencyConfig")
    await put(hello, "live")
    await put(hello, "live", 3)
    with pytest.raises(
        ResourceConflictException, match=r"^Version is pointed by a Provisioned Concurrency alias$"
    ):
        await put(hello, "1")


async def test_there_must_be_room(hello: Any) -> None:
    with pytest.raises(InvalidParameterValueException, match=r"greater than account's .* \[1000\]\.$"):
        await put(hello, "1", 1001)
    with pytest.raises(InvalidParameterValueException, match=r"below its minimum value of \[100\]\.$"):
        await put(hello, "1", 901)
    await hello.call("PutFunctionConcurrency", FunctionName="hello", ReservedConcurrentExecutions=5)
    await put(hello, "1", 3)
    with pytest.raises(
        InvalidParameterValueException, match="not be greater than the reservedConcurrentExec"
    ):
        await put(hello, "2", 3)
    with pytest.raises(InvalidParameterValueException, match=r"total provisioned concurrency \[3\]"):
        await hello.call("PutFunctionConcurrency", FunctionName="hello", ReservedConcurrentExecutions=2)
