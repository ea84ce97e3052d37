from typing import Any

import pytest

from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException

ARN = "arn:aws:lambda:us-east-1:123456789012:function"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"


async def put(aws: Any, name: str = "hello", **settings: Any) -> Any:
    return await aws.call("PutFunctionEventInvokeConfig", FunctionName=name, **settings)


async def test_putting_replaces_everything_and_updating_what_is_given(aws: Any) -> None:
    await aws.create()
    described = await put(aws, MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60)
    assert described == {
        "LastModified": aws.clock.now(),
        "FunctionArn": f"{ARN}:hello:$LATEST",
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": 60,
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
    }
    aws.clock.advance(5)
    updated = await aws.call(
        "UpdateFunctionEventInvokeConfig",
        FunctionName="hello",
        DestinationConfig={"OnFailure": {"Destination": QUEUE}},
    )
    assert updated == described | {
        "LastModified": aws.clock.now(),
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {"Destination": QUEUE}},
    }
    assert await aws.call("GetFunctionEventInvokeConfig", FunctionName="hello") == updated
    assert "MaximumEventAgeInSeconds" not in await put(aws, MaximumRetryAttempts=1)


async def test_an_empty_destination_is_none(aws: Any) -> None:
    await aws.create()
    described = await put(aws, DestinationConfig={"OnSuccess": {"Destination": ""}, "OnFailure": {}})
    assert described["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}


async def test_each_qualifier_has_its_own(aws: Any) -> None:
    await aws.create()
    await aws.call("PublishVersion", FunctionName="hello")
    await aws.call("CreateAlias", FunctionName="hello", Name="live", FunctionVersion="1")
    for name in ("hello", "hello:1", "hello:live"):
        await put(aws, name, MaximumRetryAttempts=1)
    listed = await aws.call("ListFunctionEventInvokeConfigs", FunctionName="hello", MaxItems=2)
    arns = [config["FunctionArn"] for config in listed["FunctionEventInvokeConfigs"]]
    assert arns == [f"{ARN}:hello:$LATEST", f"{ARN}:hello:1"]
    rest = await aws.call("ListFunctionEventInvokeConfigs", FunctionName="hello", Marker=listed["NextMarker"])
    assert [config["FunctionArn"] for config in rest["FunctionEventInvokeConfigs"]] == [f"{ARN}:hello:live"]
    assert "NextMarker" not in rest
    await aws.call("DeleteFunctionEventInvokeConfig", FunctionName="hello", Qualifier="1")
    with pytest.raises(ResourceNotFoundException, match=f"^The function {ARN}:hello:1 doesn't have an Event"):
        await aws.call("DeleteFunctionEventInvokeConfig", FunctionName="hello", Qualifier="1")


async def test_what_is_not_there(aws: Any) -> None:
    await aws.create()
    for call in (
        put(aws, "nobody", MaximumRetryAttempts=1),
        put(aws, "hello:live", MaximumRetryAttempts=1),
        aws.call("UpdateFunctionEventInvokeConfig", FunctionName="nobody", MaximumRetryAttempts=1),
        aws.call("ListFunctionEventInvokeConfigs", FunctionName="nobody"),
    ):
        with pytest.raises(ResourceNotFoundException, match=r"^The function doesn't exist\.$"):
            await call
    for operation, settings in (
        ("GetFunctionEventInvokeConfig", {}),
        ("DeleteFunctionEventInvokeConfig", {}),
        ("UpdateFunctionEventInvokeConfig", {"MaximumRetryAttempts": 1}),
    ):
        with pytest.raises(ResourceNotFoundException, match=r":hello:\$LATEST doesn't have an Event"):
            await aws.call(operation, FunctionName="hello", **settings)
    with pytest.raises(ResourceNotFoundException, match=r":nobody:\$LATEST doesn't have an Event"):
        await aws.call("GetFunctionEventInvokeConfig", FunctionName="nobody")


REFUSED = {
    f"{ARN}:nobody": f"The destination ARN {ARN}:nobody is invalid.",
    f"{ARN}:hello": "You can't specify the function as a destination for itself.",
    f"{ARN}:hello:live": "You can't specify the function as a destination for itself.",
    "arn:aws:iam::123456789012:role/r": "The provided destination config "
    "DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:iam::123456789012:role/r), onFailure=null) "
    "is invalid.",
    "arn:aws:s3:::bucket": "The provided destination config "
    "DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:s3:::bucket), onFailure=null) is invalid.",
    "arn:aws:sqs:us-east-1:123456789012:closed": "The function's execution role does not have permissions "
    "to call SendMessage on arn:aws:sqs:us-east-1:123456789012:closed",
}


@pytest.mark.parametrize("destination", REFUSED)
async def test_destinations_that_are_refused(aws: Any, destination: str) -> None:
    aws.policies.denied.add(("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:closed"))
    await aws.create()
    with pytest.raises(InvalidParameterValueException) as raised:
        await put(aws, DestinationConfig={"OnSuccess": {"Destination": destination}})
    assert raised.value.message == REFUSED[destination]


@pytest.mark.parametrize(
    "destination",
    [
        QUEUE,
        "arn:aws:sns:us-east-1:123456789012:t",
        "arn:aws:events:us-east-1:123456789012:event-bus/b",
        f"{ARN}:other",
        "arn:aws:s3:::bucket",
    ],
)
async def test_destinations_of_failures(aws: Any, destination: str) -> None:
    await aws.create()
    await aws.create("other")
    described = await put(aws, DestinationConfig={"OnFailure": {"Destination": destination}})
    assert described["DestinationConfig"]["OnFailure"] == {"Destination": destination}


async def test_without_any_setting_nothing_is_put(aws: Any) -> None:
    await aws.create()
    for operation in ("PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig"):
        with pytest.raises(InvalidParameterValueException, match="at least one of error handling or dest"):
            await aws.call(operation, FunctionName="hello")
