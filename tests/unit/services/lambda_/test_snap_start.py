from typing import Any

import pytest

from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.preparation import PreparationError

ON = {"ApplyOn": "PublishedVersions"}
ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"


async def described(aws: Any, qualifier: str) -> Any:
    return await aws.call("GetFunctionConfiguration", FunctionName="hello", Qualifier=qualifier)


async def create(aws: Any, **settings: Any) -> Any:
    return await aws.create(**{"SnapStart": ON} | settings)


async def test_a_published_version_is_pending_until_its_snapshot_is_taken(aws: Any) -> None:
    created = await create(aws)
    assert created["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    await aws.settle()
    published = await aws.call("PublishVersion", FunctionName="hello")
    assert (published["State"], published["StateReasonCode"]) == ("Pending", "Creating")
    assert published["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    await aws.settle()
    assert aws.snapshots.taken == [f"{ARN}:1"]
    version = await described(aws, "1")
    assert version["State"] == "Active"
    assert version["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    latest = await described(aws, "$LATEST")
    assert latest["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}


async def test_a_snapshot_that_cannot_be_taken_leaves_a_failed_version(aws: Any) -> None:
    await create(aws)
    await aws.settle()
    aws.snapshots.error = PreparationError(
        "FunctionError.InitTimeout", "Initialization took more than 130 s."
    )
    await aws.call("PublishVersion", FunctionName="hello")
    await aws.settle()
    version = await described(aws, "1")
    assert (version["State"], version["StateReasonCode"]) == ("Failed", "FunctionError.InitTimeout")
    assert version["StateReason"] == "Initialization took more than 130 s."
    assert version["SnapStart"]["OptimizationStatus"] == "Off"


async def test_it_is_switched_on_and_off(aws: Any) -> None:
    await create(aws, SnapStart={"ApplyOn": "None"})
    await aws.settle()
    for apply_on in ("PublishedVersions", "None"):
        updated = await aws.call(
            "UpdateFunctionConfiguration", FunctionName="hello", SnapStart={"ApplyOn": apply_on}
        )
        assert updated["SnapStart"] == {"ApplyOn": apply_on, "OptimizationStatus": "Off"}
        await aws.settle()


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"Runtime": "python3.9"}, "python3.9"),
        ({"Runtime": "nodejs22.x"}, "nodejs22.x"),
        ({"EphemeralStorage": {"Size": 513}}, "Ephemeral storage greater than 512 MB"),
        ({"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}, "Tenant isolation mode"),
    ],
)
async def test_what_is_not_offered_with_it_is_refused(aws: Any, settings: Any, what: str) -> None:
    with pytest.raises(
        InvalidParameterValueException, match=f"^{what} is not supported for SnapStart enabled functions.$"
    ):
        await create(aws, **settings)


async def test_an_update_may_not_take_away_what_it_needs(aws: Any) -> None:
    await create(aws)
    await aws.settle()
    with pytest.raises(InvalidParameterValueException, match="Ephemeral storage greater than 512 MB"):
        await aws.call("UpdateFunctionConfiguration", FunctionName="hello", EphemeralStorage={"Size": 600})


async def test_a_version_with_a_snapshot_is_not_provisioned(aws: Any) -> None:
    await create(aws)
    await aws.settle()
    await aws.call("PublishVersion", FunctionName="hello")
    await aws.settle()
    with pytest.raises(InvalidParameterValueException, match="Provisioned Concurrency is not supported"):
        await aws.call(
            "PutProvisionedConcurrencyConfig",
            FunctionName="hello",
            Qualifier="1",
            ProvisionedConcurrentExecutions=1,
        )
