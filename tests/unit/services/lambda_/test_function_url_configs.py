import re
from typing import Any

import pytest

from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceNotFoundException,
)

ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"


@pytest.fixture
async def hello(aws: Any) -> Any:
    await aws.create(Publish=True)
    await aws.call("CreateAlias", FunctionName="hello", Name="live", FunctionVersion="1")
    return aws


async def create(aws: Any, name: str = "hello", **parameters: Any) -> Any:
    return await aws.call(
        "CreateFunctionUrlConfig", **{"FunctionName": name, "AuthType": "NONE"} | parameters
    )


async def test_a_url_from_creation_to_deletion(hello: Any) -> None:
    created = await create(hello)
    assert set(created) == {"FunctionUrl", "FunctionArn", "AuthType", "CreationTime"}
    assert re.fullmatch(
        r"http://[a-z0-9]{32}\.lambda-url\.us-east-1\.localhost:4566/", created["FunctionUrl"]
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", created["CreationTime"])
    got = await hello.call("GetFunctionUrlConfig", FunctionName="hello")
    assert got == created | {"LastModifiedTime": created["CreationTime"], "InvokeMode": "BUFFERED"}
    hello.clock.advance(5)
    updated = await hello.call("UpdateFunctionUrlConfig", FunctionName="hello", AuthType="AWS_IAM")
    assert "InvokeMode" not in updated
    assert (updated["AuthType"], updated["FunctionUrl"]) == ("AWS_IAM", created["FunctionUrl"])
    assert updated["LastModifiedTime"] > updated["CreationTime"] == created["CreationTime"]
    assert await hello.call("DeleteFunctionUrlConfig", FunctionName="hello") == {}
    for operation in ("GetFunctionUrlConfig", "UpdateFunctionUrlConfig", "DeleteFunctionUrlConfig"):
        with pytest.raises(ResourceNotFoundException, match=r"^The resource you requested does not exist\.$"):
            await hello.call(operation, FunctionName="hello")


async def test_an_invoke_mode_is_answered_where_it_was_given(hello: Any) -> None:
    created = await create(hello, InvokeMode="RESPONSE_STREAM")
    assert created["InvokeMode"] == "RESPONSE_STREAM"
    updated = await hello.call("UpdateFunctionUrlConfig", FunctionName="hello", InvokeMode="BUFFERED")
    assert updated["InvokeMode"] == "BUFFERED"


async def test_a_function_and_each_alias_have_one(hello: Any) -> None:
    own = await create(hello)
    live = await create(hello, "hello:live", Qualifier="live")
    assert (own["FunctionArn"], live["FunctionArn"]) == (ARN, f"{ARN}:live")
    for qualifier in ({}, {"Qualifier": "live"}):
        with pytest.raises(ResourceConflictException) as caught:
            await create(hello, **qualifier)
    assert caught.value.message == (
        f"Failed to create function url config for [functionArn = {ARN}:live]. "
        "Error message:  FunctionUrlConfig exists for this Lambda function"
    )
    await hello.call("DeleteFunctionUrlConfig", FunctionName="hello")
    assert (await hello.call("GetFunctionUrlConfig", FunctionName="hello:live"))["FunctionUrl"] == live[
        "FunctionUrl"
    ]


async def test_urls_are_listed_in_pages(hello: Any) -> None:
    assert await hello.call("ListFunctionUrlConfigs", FunctionName="hello") == {"FunctionUrlConfigs": []}
    arns = [(await create(hello, name))["FunctionArn"] for name in ("hello", "hello:live")]
    first = await hello.call("ListFunctionUrlConfigs", FunctionName="hello", MaxItems=1)
    second = await hello.call(
        "ListFunctionUrlConfigs", FunctionName="hello", MaxItems=1, Marker=first["NextMarker"]
    )
    assert [page["FunctionUrlConfigs"][0]["FunctionArn"] for page in (first, second)] == arns
    assert "NextMarker" not in second
    with pytest.raises(InvalidParameterValueException, match="must not include a version number or alias"):
        await hello.call("ListFunctionUrlConfigs", FunctionName="hello:live")


@pytest.mark.parametrize("name", ["none", "hello:none"])
async def test_functions_and_aliases_that_are_not_there(hello: Any, name: str) -> None:
    for operation in ("CreateFunctionUrlConfig", "UpdateFunctionUrlConfig"):
        with pytest.raises(ResourceNotFoundException, match=r"^Function does not exist$"):
            await hello.call(operation, FunctionName=name, AuthType="NONE")
    for operation in ("GetFunctionUrlConfig", "DeleteFunctionUrlConfig"):
        with pytest.raises(ResourceNotFoundException, match=r"^The resource you requested does not exist\.$"):
            await hello.call(operation, FunctionName=name)
    with pytest.raises(ResourceNotFoundException, match=r"^Function does not exist$"):
        await hello.call("ListFunctionUrlConfigs", FunctionName="none")


async def test_qualifiers_that_differ_are_refused(hello: Any) -> None:
    with pytest.raises(
        InvalidParameterValueException, match=r"^The derived qualifier from the function name"
    ):
        await create(hello, "hello:other", Qualifier="live")


async def test_cors_is_kept_as_it_is_said_replaced_and_cleared(hello: Any) -> None:
    cors = {
        "AllowCredentials": False,
        "AllowHeaders": ["x-a"],
        "AllowMethods": ["GET", "*"],
        "AllowOrigins": ["https://a.example"],
        "MaxAge": 0,
    }
    assert (await create(hello, Cors=cors))["Cors"] == cors
    changed = {"AllowOrigins": ["*"]}
    updated = await hello.call("UpdateFunctionUrlConfig", FunctionName="hello", Cors=changed)
    assert updated["Cors"] == changed
    assert "Cors" not in await hello.call("UpdateFunctionUrlConfig", FunctionName="hello", Cors={})


@pytest.mark.parametrize(
    ("cors", "message"),
    [
        ({"MaxAge": 1}, r"^You can't leave AllowOrigins as empty when Cors is enabled\.$"),
        ({"AllowOrigins": ["*"], "AllowMethods": ["FETCH"]}, "AllowMethods"),
    ],
)
async def test_cors_that_makes_no_sense_is_refused(hello: Any, cors: Any, message: str) -> None:
    with pytest.raises(InvalidParameterValueException, match=message):
        await create(hello, Cors=cors)
    assert not hello.function_urls.urls
