from typing import Any

import pytest

from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)

ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"


@pytest.fixture
async def two_versions(aws: Any) -> Any:
    await aws.create(Publish=True)
    await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Timeout=9)
    await aws.settle()
    await aws.call("PublishVersion", FunctionName="hello")
    await aws.settle()
    return aws


async def test_an_alias_from_creation_to_deletion(two_versions: Any) -> None:
    aws = two_versions
    created = await aws.call(
        "CreateAlias", FunctionName="hello", Name="live", FunctionVersion="1", Description="d"
    )
    assert created | {"RevisionId": ""} == {
        "AliasArn": f"{ARN}:live", "Name": "live", "FunctionVersion": "1", "Description": "d", "RevisionId": "",
    }  # fmt: skip
    assert await aws.call("GetAlias", FunctionName="hello", Name="live") == created
    updated = await aws.call("UpdateAlias", FunctionName="hello", Name="live", FunctionVersion="2")
    assert (updated["FunctionVersion"], updated["Description"]) == ("2", "d")
    assert updated["RevisionId"] != created["RevisionId"]
    assert await aws.call("DeleteAlias", FunctionName="hello", Name="live") == {}
    assert await aws.call("DeleteAlias", FunctionName="hello", Name="live") == {}
    with pytest.raises(ResourceNotFoundException, match=f"{ARN}:live$"):
        await aws.call("GetAlias", FunctionName="hello", Name="live")


async def test_weights_are_kept_replaced_and_cleared(two_versions: Any) -> None:
    aws = two_versions
    routing = {"AdditionalVersionWeights": {"2": 0.25}}
    created = await aws.call(
        "CreateAlias", FunctionName="hello", Name="live", FunctionVersion="1", RoutingConfig=routing
    )
    assert created["RoutingConfig"] == routing
    kept = await aws.call("UpdateAlias", FunctionName="hello", Name="live", Description="only this")
    assert kept["RoutingConfig"] == routing
    with pytest.raises(ResourceConflictException, match=r"reference it: .live"):
        await aws.call("DeleteFunction", FunctionName="hello", Qualifier="2")
    cleared = await aws.call(
        "UpdateAlias", FunctionName="hello", Name="live", RoutingConfig={"AdditionalVersionWeights": {}}
    )
    assert "RoutingConfig" not in cleared


@pytest.mark.parametrize(
    ("version", "weights", "error", "message"),
    [
        (
            "1",
            {"1": 0.5},
            InvalidParameterValueException,
            "Function version 1 is already included in routing",
        ),
        (
            "$LATEST",
            {"1": 0.5},
            InvalidParameterValueException,
            "LATEST is not supported for an alias pointing",
        ),
        ("1", {"2": 0.1, "3": 0.1}, InvalidParameterValueException, "cannot be greater than 1$"),
        ("1", {"7": 0.1}, ResourceNotFoundException, f"^Function not found: {ARN}:7$"),
        ("7", {}, ResourceNotFoundException, f"^Function not found: {ARN}:7$"),
        ("$LATEST.PUBLISHED", {}, InvalidParameterValueException, "does not offer aliases of"),
    ],
)
async def test_what_an_alias_must_not_point_to(
    two_versions: Any, version: str, weights: dict[str, float], error: type[Exception], message: str
) -> None:
    routing = {"AdditionalVersionWeights": weights}
    parameters = {
        "FunctionName": "hello",
        "Name": "live",
        "FunctionVersion": version,
        "RoutingConfig": routing,
    }
    with pytest.raises(error, match=message):
        await two_versions.call("CreateAlias", **parameters)
    await two_versions.call("CreateAlias", FunctionName="hello", Name="live", FunctionVersion="2")
    with pytest.raises(error, match=message):
        await two_versions.call("UpdateAlias", **parameters)


async def test_an_alias_may_not_come_to_route_twice_to_one_version(two_versions: Any) -> None:
    routing = {"AdditionalVersionWeights": {"2": 0.25}}
    await two_versions.call(
        "CreateAlias", FunctionName="hello", Name="live", FunctionVersion="1", RoutingConfig=routing
    )
    with pytest.raises(InvalidParameterValueException, match="already included"):
        await two_versions.call("UpdateAlias", FunctionName="hello", Name="live", FunctionVersion="2")


async def test_names_are_taken_once_and_revisions_compared(two_versions: Any) -> None:
    aws = two_versions
    await aws.call("CreateAlias", FunctionName="hello", Name="live", FunctionVersion="1")
    with pytest.raises(ResourceConflictException, match=f"^Alias already exists: {ARN}:live$"):
        await aws.call("CreateAlias", FunctionName="hello", Name="live", FunctionVersion="1")
    with pytest.raises(PreconditionFailedException):
        await aws.call("UpdateAlias", FunctionName="hello", Name="live", Description="x", RevisionId="x")
    with pytest.raises(ResourceNotFoundException, match=f"^Alias not found: {ARN}:none$"):
        await aws.call("UpdateAlias", FunctionName="hello", Name="none", Description="x")
    with pytest.raises(ResourceNotFoundException, match=r"^Function not found"):
        await aws.call("ListAliases", FunctionName="none")
    with pytest.raises(ResourceNotFoundException, match=f"^Function not found: {ARN[:-5]}none:1$"):
        await aws.call("CreateAlias", FunctionName="none", Name="live", FunctionVersion="1")


async def test_aliases_are_listed_by_version_and_in_pages(two_versions: Any) -> None:
    aws = two_versions
    for name, version in (("a", "1"), ("b", "2"), ("c", "1")):
        await aws.call("CreateAlias", FunctionName="hello", Name=name, FunctionVersion=version)
    first = await aws.call("ListAliases", FunctionName="hello", MaxItems=2)
    rest = await aws.call("ListAliases", FunctionName="hello", MaxItems=2, Marker=first["NextMarker"])
    assert [alias["Name"] for alias in first["Aliases"] + rest["Aliases"]] == ["a", "b", "c"]
    assert "NextMarker" not in rest
    of_one = await aws.call("ListAliases", FunctionName="hello", FunctionVersion="1")
    assert [alias["Name"] for alias in of_one["Aliases"]] == ["a", "c"]
