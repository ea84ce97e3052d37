from typing import Any

import pytest

from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException

ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"


async def put(aws: Any, mode: str, **more: str) -> Any:
    return await aws.call("PutRuntimeManagementConfig", FunctionName="hello", UpdateRuntimeOn=mode, **more)


async def test_functions_take_what_the_host_has_unless_told_otherwise(aws: Any) -> None:
    created = await aws.create()
    runtime_version = created["RuntimeVersionConfig"]["RuntimeVersionArn"]
    auto = {"UpdateRuntimeOn": "Auto", "FunctionArn": ARN}
    assert await aws.call("GetRuntimeManagementConfig", FunctionName="hello") == auto
    pinned = await put(aws, "Manual", RuntimeVersionArn=runtime_version)
    assert pinned == {"UpdateRuntimeOn": "Manual", "FunctionArn": ARN, "RuntimeVersionArn": runtime_version}
    assert await aws.call("GetRuntimeManagementConfig", FunctionName="hello") == pinned
    (function,) = aws.functions.functions.values()
    assert function.serving.update_runtime_on == function.latest.update_runtime_on == "Manual"


async def test_versions_have_their_own(aws: Any) -> None:
    await aws.create(Publish=True)
    put_one = await put(aws, "FunctionUpdate", Qualifier="1")
    assert put_one == {"UpdateRuntimeOn": "FunctionUpdate", "FunctionArn": f"{ARN}:1"}
    of_latest = await aws.call("GetRuntimeManagementConfig", FunctionName="hello", Qualifier="$LATEST")
    assert of_latest["UpdateRuntimeOn"] == "Auto"
    with pytest.raises(ResourceNotFoundException, match=f"^Function not found: {ARN}:2$"):
        await put(aws, "Auto", Qualifier="2")


async def test_a_change_of_it_publishes_no_new_version(aws: Any) -> None:
    await aws.create(Publish=True)
    await put(aws, "FunctionUpdate")
    assert (await aws.call("PublishVersion", FunctionName="hello"))["Version"] == "1"


async def test_bad_input_changes_nothing(aws: Any) -> None:
    await aws.create()
    await aws.call("CreateAlias", FunctionName="hello", Name="live", FunctionVersion="$LATEST")
    before = dict(aws.functions.functions)
    foreign = "arn:aws:lambda:us-east-1::runtime:0123"
    for mode, more, message in (
        ("Manual", {}, "RuntimeVersionArn is required"),
        ("Auto", {"RuntimeVersionArn": foreign}, "not allowed"),
        ("Manual", {"RuntimeVersionArn": foreign}, "is not on this host"),
        ("Auto", {"Qualifier": "live"}, "not of aliases"),
    ):
        with pytest.raises(InvalidParameterValueException, match=message):
            await put(aws, mode, **more)
    assert aws.functions.functions == before


async def test_an_update_takes_the_hosts_runtime_version_unless_it_is_pinned(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = await aws.create()
    old = created["RuntimeVersionConfig"]["RuntimeVersionArn"]
    await put(aws, "Manual", RuntimeVersionArn=old)
    monkeypatch.setattr(aws.runtimes, "version", lambda runtime: "another")
    updated = await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Timeout=9)
    assert updated["RuntimeVersionConfig"]["RuntimeVersionArn"] == old
    await aws.settle()
    await put(aws, "FunctionUpdate")
    updated = await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Timeout=10)
    assert updated["RuntimeVersionConfig"]["RuntimeVersionArn"] != old
