import asyncio
from typing import Any

import pytest

from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException

ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"


async def test_tags_are_added_replaced_removed_and_shown(aws: Any) -> None:
    await aws.create(Tags={"a": "1", "b": "2"})
    before = await aws.call("GetFunctionConfiguration", FunctionName="hello")
    await aws.call("TagResource", Resource=ARN, Tags={"b": "3", "c": "4"})
    assert await aws.call("ListTags", Resource=ARN) == {"Tags": {"a": "1", "b": "3", "c": "4"}}
    await aws.call("UntagResource", Resource=ARN, TagKeys=["a", "none"])
    assert (await aws.call("GetFunction", FunctionName="hello"))["Tags"] == {"b": "3", "c": "4"}
    after = await aws.call("GetFunctionConfiguration", FunctionName="hello")
    assert after["RevisionId"] != before["RevisionId"]
    assert after == before | {"RevisionId": after["RevisionId"]}
    with pytest.raises(InvalidParameterValueException, match=r"^An error occurred and the request cannot be"):
        await aws.call("TagResource", Resource=ARN, Tags={})
    await aws.call("UntagResource", Resource=ARN, TagKeys=["b", "c"])
    assert "Tags" not in await aws.call("GetFunction", FunctionName="hello")


async def test_concurrent_changes_lose_no_tag(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await aws.create()
    get = aws.functions.get

    async def slow_get(id: Any) -> Any:
        function = await get(id)
        await asyncio.sleep(0)
        return function

    monkeypatch.setattr(aws.functions, "get", slow_get)
    await asyncio.gather(*(aws.call("TagResource", Resource=ARN, Tags={f"k{n}": ""}) for n in range(20)))
    assert len((await aws.call("ListTags", Resource=ARN))["Tags"]) == 20


@pytest.mark.parametrize(
    "tags", [{f"k{n}": "" for n in range(50)}, {"aws:a": ""}, {"k" * 129: ""}, {"k": "v" * 257}]
)
async def test_tags_have_rules(aws: Any, tags: dict[str, str]) -> None:
    await aws.create(Tags={"one": "more"})
    with pytest.raises(InvalidParameterValueException):
        await aws.call("TagResource", Resource=ARN, Tags=tags)
    assert await aws.call("ListTags", Resource=ARN) == {"Tags": {"one": "more"}}


async def test_aliases_versions_and_what_is_not_offered_have_no_tags(aws: Any) -> None:
    await aws.create(Publish=True)
    with pytest.raises(InvalidParameterValueException, match=r"^Tags on function aliases and versions"):
        await aws.call("ListTags", Resource=f"{ARN}:1")
    with pytest.raises(InvalidParameterValueException, match="does not offer tags of network-connector"):
        await aws.call("ListTags", Resource="arn:aws:lambda:us-east-1:123456789012:network-connector:x")
    with pytest.raises(ResourceNotFoundException):
        await aws.call("ListTags", Resource=ARN + "2")
    mapping = (
        "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:3a6b3ab6-5b5b-4f9d-a2b2-0c7f5e1d9a10"
    )
    for operation, asked in (
        ("ListTags", {}), ("TagResource", {"Tags": {"a": "b"}}), ("UntagResource", {"TagKeys": ["a"]})
    ):  # fmt: skip
        with pytest.raises(ResourceNotFoundException, match=f"^Event source mapping not found: {mapping}$"):
            await aws.call(operation, Resource=mapping, **asked)


async def test_account_settings_count_functions_and_all_code(aws: Any, new_zip: Any) -> None:
    created = await aws.create()
    layer = await aws.call("PublishLayerVersion", LayerName="l", Content={"ZipFile": new_zip({"a": "b"})})
    settings = await aws.call("GetAccountSettings")
    assert settings["AccountLimit"] == {
        "TotalCodeSize": 80530636800,
        "CodeSizeUnzipped": 262144000,
        "CodeSizeZipped": 52428800,
        "ConcurrentExecutions": 1000,
        "UnreservedConcurrentExecutions": 1000,
    }
    size = created["CodeSize"] + layer["Content"]["CodeSize"]
    assert settings["AccountUsage"] == {"TotalCodeSize": size, "FunctionCount": 1}


@pytest.mark.parametrize(
    ("operation", "parameters", "arn"),
    [
        ("ListFunctions", {}, "*"),
        ("ListLayers", {}, "*"),
        ("GetAccountSettings", {}, "*"),
        ("Invoke", {"FunctionName": "hello", "Qualifier": "live"}, f"{ARN}:live"),
        ("GetFunction", {"FunctionName": "hello:2"}, f"{ARN}:2"),
        ("CreateAlias", {"FunctionName": "hello", "Name": "live"}, ARN),
        ("UpdateFunctionCode", {"FunctionName": ARN}, ARN),
        ("ListTags", {"Resource": ARN}, ARN),
        ("PublishLayerVersion", {"LayerName": "l"}, "arn:aws:lambda:us-east-1:123456789012:layer:l"),
        (
            "GetLayerVersion",
            {"LayerName": "l", "VersionNumber": 3},
            "arn:aws:lambda:us-east-1:123456789012:layer:l:3",
        ),
        (
            "GetLayerVersionByArn",
            {"Arn": "arn:aws:lambda:us-east-1:123456789012:layer:l:3"},
            "arn:aws:lambda:us-east-1:123456789012:layer:l:3",
        ),
    ],
)
async def test_what_is_authorized(aws: Any, operation: str, parameters: dict[str, Any], arn: str) -> None:
    assert aws.lambda_.service.resource_arn(operation, aws.caller, parameters) == arn
