from typing import Any

import pytest

from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException

ARN = "arn:aws:lambda:us-east-1:123456789012:function"


async def test_loops_are_ended_unless_they_are_allowed(aws: Any) -> None:
    await aws.create()
    revision = (await aws.call("GetFunctionConfiguration", FunctionName="hello"))["RevisionId"]
    assert await aws.call("GetFunctionRecursionConfig", FunctionName="hello") == {
        "RecursiveLoop": "Terminate"
    }
    put = await aws.call("PutFunctionRecursionConfig", FunctionName="hello", RecursiveLoop="Allow")
    assert put == {"RecursiveLoop": "Allow"}
    await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Timeout=5, RevisionId=revision)
    await aws.settle()
    assert await aws.call("GetFunctionRecursionConfig", FunctionName="hello") == put


async def test_a_function_that_is_not_there(aws: Any) -> None:
    for operation, settings in (
        ("GetFunctionRecursionConfig", {}),
        ("PutFunctionRecursionConfig", {"RecursiveLoop": "Allow"}),
    ):
        with pytest.raises(ResourceNotFoundException, match=f"^Function not found: {ARN}:nobody$"):
            await aws.call(operation, FunctionName="nobody", **settings)


async def test_scaling_is_for_managed_instances(aws: Any) -> None:
    await aws.create()
    await aws.call("PublishVersion", FunctionName="hello")
    got = await aws.call("GetFunctionScalingConfig", FunctionName="hello", Qualifier="1")
    assert got == {"FunctionArn": f"{ARN}:hello:1"}
    with pytest.raises(InvalidParameterValueException, match="capacity provider"):
        await aws.call("PutFunctionScalingConfig", FunctionName="hello", Qualifier="1")
    with pytest.raises(ResourceNotFoundException, match=f"^Function not found: {ARN}:hello:7$"):
        await aws.call("PutFunctionScalingConfig", FunctionName="hello", Qualifier="7")
