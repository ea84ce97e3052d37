import asyncio
from typing import Any

import pytest


async def test_code_and_layers_are_made_ready_before_anything_serves(aws: Any, new_zip: Any) -> None:
    layers = []
    for name in ("one", "two"):
        answer = await aws.call(
            "PublishLayerVersion", LayerName=name, Content={"ZipFile": new_zip({name: "x"})}
        )
        layers.append(answer["LayerVersionArn"])
    aws.artifacts.blocked = asyncio.Event()
    await aws.create(Layers=layers, settle=False)
    for _ in range(20):
        await asyncio.sleep(0)
    (function,) = aws.functions.functions.values()
    assert function.serving is None and function.latest.state == "Pending"
    aws.artifacts.blocked.set()
    await aws.settle()
    (function,) = aws.functions.functions.values()
    assert function.serving == function.latest
    used = [function.latest.code.digest, *(layer.code.digest for layer in function.latest.layers)]
    assert aws.artifacts.unpacked == used
    assert aws.compiler.compiled == [("python3.13", "/var/task"), ("python3.13", "/opt")]


async def test_nothing_settles_before_its_time(aws: Any) -> None:
    created_at = aws.clock.now()
    await aws.create()
    assert aws.clock.now() == created_at + 1.0


async def test_what_a_crash_interrupted_is_continued(aws: Any) -> None:
    aws.artifacts.blocked = asyncio.Event()
    await aws.create(settle=False, Publish=True)
    await aws.lambda_.activation.close()
    aws.artifacts.blocked = None
    aws.start()
    await aws.lambda_.activation.open()
    await aws.settle()
    (function,) = aws.functions.functions.values()
    (version,) = aws.functions.versions.values()
    assert function.latest.state == version.state == "Active"


async def test_a_creation_that_fails_says_why(aws: Any) -> None:
    aws.artifacts.broken = True
    await aws.create()
    settled = await aws.call("GetFunctionConfiguration", FunctionName="hello")
    assert (settled["State"], settled["StateReasonCode"]) == ("Failed", "InternalError")
    assert settled["StateReason"] == "The deployment package is missing on this host."
    (function,) = aws.functions.functions.values()
    assert function.serving is None


async def test_an_update_that_fails_leaves_the_old_version_serving(aws: Any, new_zip: Any) -> None:
    created = await aws.create()
    aws.artifacts.broken = True
    await aws.call("UpdateFunctionCode", FunctionName="hello", ZipFile=new_zip({"b": "b"}))
    await aws.settle()
    settled = await aws.call("GetFunctionConfiguration", FunctionName="hello")
    assert (settled["State"], settled["LastUpdateStatus"]) == ("Active", "Failed")
    assert settled["LastUpdateStatusReasonCode"] == "InternalError"
    (function,) = aws.functions.functions.values()
    assert function.serving.code.sha256 == created["CodeSha256"]
    aws.artifacts.broken = False
    await aws.call("UpdateFunctionCode", FunctionName="hello", ZipFile=new_zip({"b": "b"}))
    await aws.settle()
    settled = await aws.call("GetFunctionConfiguration", FunctionName="hello")
    assert settled["LastUpdateStatus"] == "Successful" and "LastUpdateStatusReason" not in settled


async def test_a_runtime_that_went_away_fails_the_version(aws: Any) -> None:
    aws.runtimes.available = ["python3.13"]
    await aws.create(settle=False)
    aws.runtimes.available = []
    await aws.settle()
    assert (await aws.call("GetFunctionConfiguration", FunctionName="hello"))[
        "StateReasonCode"
    ] == "InvalidRuntime"


async def test_a_bug_in_preparing_is_shown_and_not_swallowed(
    aws: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def compile(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(aws.compiler, "compile", compile)
    await aws.create()
    assert (await aws.call("GetFunctionConfiguration", FunctionName="hello"))[
        "StateReasonCode"
    ] == "InternalError"
    assert "ZeroDivisionError" in caplog.text


async def test_a_function_made_anew_meanwhile_is_not_taken_for_the_old_one(aws: Any, new_zip: Any) -> None:
    aws.artifacts.blocked = asyncio.Event()
    await aws.create(settle=False, Publish=True)
    for _ in range(20):
        await asyncio.sleep(0)  # both versions are being prepared now
    await aws.call("DeleteFunction", FunctionName="hello")
    again = await aws.create(settle=False, Publish=True, Code={"ZipFile": new_zip({"new": "new"})})
    aws.artifacts.blocked.set()
    await aws.settle()
    (function,) = aws.functions.functions.values()
    (version,) = aws.functions.versions.values()
    assert function.serving.code.sha256 == version.code.sha256 == again["CodeSha256"]


async def test_what_goes_wrong_on_the_host_names_none_of_its_files(aws: Any, caplog: Any) -> None:
    async def fail(digest: str) -> None:
        raise OSError(5, "Input/output error", "/var/lib/lambent/artifacts/zips/abc")

    aws.artifacts.unpack = fail
    await aws.create()
    settled = await aws.call("GetFunctionConfiguration", FunctionName="hello")
    assert settled["StateReasonCode"] == "InternalError"
    assert "/var/lib" not in settled["StateReason"]
    assert "/var/lib/lambent/artifacts/zips/abc" in caplog.text
