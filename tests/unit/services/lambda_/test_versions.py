from typing import Any

import pytest

from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)

ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"


async def test_a_version_is_published_once_for_one_state_of_the_function(aws: Any) -> None:
    await aws.create()
    first = await aws.call("PublishVersion", FunctionName="hello", Description="one")
    assert (first["Version"], first["FunctionArn"], first["Description"]) == ("1", f"{ARN}:1", "one")
    assert (first["State"], first["LastUpdateStatus"]) == ("Active", "Successful")
    assert await aws.call("GetFunctionConfiguration", FunctionName="hello:1") == first
    again = await aws.call("PublishVersion", FunctionName="hello", Description="two")
    assert (again["Version"], again["Description"], again["State"]) == ("1", "one", "Active")
    await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Timeout=9)
    await aws.settle()
    second = await aws.call("PublishVersion", FunctionName="hello")
    assert (second["Version"], second["Timeout"]) == ("2", 9)
    kept = await aws.call("GetFunctionConfiguration", FunctionName="hello:1")
    assert kept["Timeout"] == 3


async def test_updates_that_come_back_to_the_same_publish_nothing_new(aws: Any) -> None:
    await aws.create()
    await aws.call("PublishVersion", FunctionName="hello")
    for timeout in (9, 3):
        await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Timeout=timeout)
        await aws.settle()
    assert (await aws.call("PublishVersion", FunctionName="hello"))["Version"] == "1"


async def test_numbers_are_never_used_twice(aws: Any) -> None:
    await aws.create()
    await aws.call("PublishVersion", FunctionName="hello")
    await aws.call("DeleteFunction", FunctionName="hello", Qualifier="1")
    assert (await aws.call("PublishVersion", FunctionName="hello"))["Version"] == "2"


async def test_preconditions(aws: Any) -> None:
    created = await aws.create()
    sha256 = created["CodeSha256"]
    with pytest.raises(InvalidParameterValueException, match=r"^CodeSHA256 \(x\) is different from current"):
        await aws.call("PublishVersion", FunctionName="hello", CodeSha256="x")
    with pytest.raises(PreconditionFailedException):
        await aws.call("PublishVersion", FunctionName="hello", RevisionId="x")
    current = await aws.call("GetFunctionConfiguration", FunctionName="hello")
    revision_id = current["RevisionId"]
    await aws.call("PublishVersion", FunctionName="hello", RevisionId=revision_id, CodeSha256=sha256)
    after = await aws.call("GetFunctionConfiguration", FunctionName="hello")
    assert after["RevisionId"] != revision_id
    assert after["LastModified"] == current["LastModified"]


async def test_a_function_that_is_not_ready_is_not_published(aws: Any) -> None:
    await aws.create(settle=False)
    with pytest.raises(ResourceConflictException, match="following state: Pending"):
        await aws.call("PublishVersion", FunctionName="hello")


async def test_publish_at_creation_and_at_update(aws: Any, new_zip: Any) -> None:
    created = await aws.create(Publish=True)
    assert (created["Version"], created["FunctionArn"]) == ("1", ARN)
    assert created["State"] == "Pending"
    updated = await aws.call(
        "UpdateFunctionCode", FunctionName="hello", ZipFile=new_zip({"b": "b"}), Publish=True
    )
    assert (updated["Version"], updated["State"]) == ("2", "Pending")
    await aws.settle()
    assert (await aws.call("GetFunctionConfiguration", FunctionName="hello:2"))["State"] == "Active"
    assert (await aws.call("PublishVersion", FunctionName="hello"))["Version"] == "2"


async def test_versions_are_listed_from_latest_in_pages(aws: Any) -> None:
    await aws.create(Publish=True)
    for timeout in (4, 5):
        await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Timeout=timeout)
        await aws.settle()
        await aws.call("PublishVersion", FunctionName="hello")
    for size in (1, 2, 50):
        found: list[str] = []
        more: dict[str, str] = {}
        while True:
            page = await aws.call("ListVersionsByFunction", FunctionName="hello", MaxItems=size, **more)
            found += [version["FunctionArn"] for version in page["Versions"]]
            if "NextMarker" not in page:
                break
            more = {"Marker": page["NextMarker"]}
        assert found == [f"{ARN}:$LATEST", f"{ARN}:1", f"{ARN}:2", f"{ARN}:3"]
    assert "State" not in page["Versions"][0]


async def test_qualifiers_choose_the_version_and_show_in_the_arn(aws: Any) -> None:
    await aws.create(Publish=True)
    await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Timeout=9)
    await aws.call("CreateAlias", FunctionName="hello", Name="live", FunctionVersion="1")
    for qualifier, version, timeout in (("1", "1", 3), ("live", "1", 3), ("$LATEST", "$LATEST", 9)):
        shown = (await aws.call("GetFunction", FunctionName="hello", Qualifier=qualifier))["Configuration"]
        assert (shown["FunctionArn"], shown["Version"], shown["Timeout"]) == (
            f"{ARN}:{qualifier}",
            version,
            timeout,
        )
    for qualifier in ("7", "none"):
        with pytest.raises(ResourceNotFoundException, match=f"^Function not found: {ARN}:{qualifier}$"):
            await aws.call("GetFunction", FunctionName="hello", Qualifier=qualifier)
