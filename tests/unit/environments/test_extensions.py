"""The Extensions API of one environment, without processes: what is asked, what is told, and when it is over."""

import asyncio
import json
import os

import pytest

from lambent.environments.extensions import ExtensionError, Extensions, variables_of
from lambent.environments.extensions_api import ExtensionsApi
from lambent.environments.link import InvokeRequest
from lambent.environments.subscriptions import RefusedError
from lambent.http.message import Request

INVOKE = InvokeRequest(
    request_id="r-1", deadline_ms=1000, invoked_arn="arn:f", payload=b"", trace_id="Root=1"
)


def request(method, path, body=b"", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    target = f"/2020-01-01/extension/{path}"
    return Request(method, target, target, "", named, body)


async def register(extensions, name, *events):
    body = json.dumps({"events": events}).encode()
    return await ExtensionsApi(extensions).handle(
        request("POST", "register", body, lambda_extension_name=name)
    )


def identifier(response):
    return dict(response.headers)["Lambda-Extension-Identifier"]


def ask(extensions, id):
    return asyncio.ensure_future(
        ExtensionsApi(extensions).handle(request("GET", "event/next", lambda_extension_identifier=id))
    )


@pytest.fixture
async def extensions():
    made = Extensions()
    made.expect(["agent"], {"functionName": "hello", "functionVersion": "$LATEST", "handler": "app.handler"})
    yield made
    made.close()


async def test_init_is_over_when_all_have_registered_and_ask_for_their_first_event(extensions):
    over = asyncio.ensure_future(extensions.initialized())
    answer = await register(extensions, "agent", "INVOKE", "SHUTDOWN")
    assert answer.status == 200
    assert json.loads(answer.body)["functionName"] == "hello"
    inside = identifier(await register(extensions, "inside", "INVOKE"))
    await asyncio.sleep(0)
    assert not over.done()
    waiting = [ask(extensions, identifier(answer)), ask(extensions, inside)]
    await over
    extensions.invoke(INVOKE)
    for told in await asyncio.gather(*waiting):
        assert json.loads(told.body) == {
            "eventType": "INVOKE",
            "deadlineMs": 1000,
            "requestId": "r-1",
            "invokedFunctionArn": "arn:f",
            "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1"},
        }


async def test_an_invocation_is_over_when_all_who_are_told_ask_again(extensions):
    agent = identifier(await register(extensions, "agent", "INVOKE"))
    waiting = ask(extensions, agent)
    await extensions.initialized()
    assert extensions.settled
    extensions.invoke(INVOKE)
    await waiting
    assert not extensions.settled
    settled = asyncio.ensure_future(extensions.settle())
    await asyncio.sleep(0)
    assert not settled.done()
    waiting = ask(extensions, agent)
    await settled
    waiting.cancel()


async def test_who_hangs_up_is_told_at_its_next_connection(extensions):
    agent = identifier(await register(extensions, "agent", "INVOKE"))
    waiting = ask(extensions, agent)
    await extensions.initialized()
    waiting.cancel()
    await asyncio.wait([waiting])
    extensions.invoke(INVOKE)
    assert json.loads((await ask(extensions, agent)).body)["requestId"] == "r-1"


async def test_what_is_refused(extensions):
    async def refused(response):
        return (await response).status, json.loads((await response).body)["errorType"]

    def answer(*arguments):
        return asyncio.ensure_future(register(extensions, *arguments))

    assert await refused(answer("", "INVOKE")) == (400, "Extension.InvalidExtensionName")
    assert await refused(answer("agent", "PAUSE")) == (403, "Extension.InvalidEventType")
    assert await refused(answer("inside", "SHUTDOWN")) == (403, "Extension.InvalidEventType")
    agent = identifier(await register(extensions, "agent", "INVOKE"))
    assert await refused(answer("agent", "INVOKE")) == (403, "Extension.AlreadyRegistered")
    assert await refused(ask(extensions, "x")) == (403, "Extension.UnknownExtensionIdentifier")
    assert await refused(
        asyncio.ensure_future(ExtensionsApi(extensions).handle(request("GET", "event/next")))
    ) == (
        403,
        "Extension.MissingHeader",
    )
    waiting = ask(extensions, agent)
    await extensions.initialized()
    assert await refused(ask(extensions, agent)) == (403, "Extension.InvalidExtensionState")
    assert await refused(answer("late", "INVOKE")) == (403, "Extension.RegistrationClosed")
    body = request("POST", "register", b"[", lambda_extension_name="x")
    assert (await ExtensionsApi(extensions).handle(body)).status == 400
    waiting.cancel()


async def test_one_that_ends_takes_the_environment_down(extensions):
    failed = []
    extensions.failed = lambda: failed.append(True)
    life, held = os.pipe()
    extensions.watch("agent", life)
    over = asyncio.ensure_future(extensions.initialized())
    await asyncio.sleep(0)
    os.close(held)
    with pytest.raises(ExtensionError, match="extension agent has ended"):
        await over
    assert failed == [True]
    assert extensions.failure.error_type == "Extension.Crash"


async def test_one_that_reports_an_error_names_its_type(extensions):
    agent = identifier(await register(extensions, "agent", "INVOKE"))
    report = request(
        "POST",
        "init/error",
        lambda_extension_identifier=agent,
        lambda_extension_function_error_type="Agent.NoKey",
    )
    assert (await ExtensionsApi(extensions).handle(report)).status == 202
    with pytest.raises(ExtensionError) as caught:
        await extensions.initialized()
    assert caught.value.error_type == "Agent.NoKey"


async def test_at_the_end_they_are_told_and_waited_for(extensions):
    agent = identifier(await register(extensions, "agent", "SHUTDOWN"))
    life, held = os.pipe()
    extensions.watch("agent", life)
    waiting = ask(extensions, agent)
    await extensions.initialized()
    over = asyncio.ensure_future(extensions.shut_down("SPINDOWN", 100.0))
    told = json.loads((await waiting).body)
    assert told == {"eventType": "SHUTDOWN", "shutdownReason": "SPINDOWN", "deadlineMs": 102_000}
    assert not over.done()
    os.close(held)
    await over
    assert extensions.failure is None


class NotedSubscriptions:
    """In the place of the telemetry of an environment."""

    def __init__(self):
        self.names = []
        self.init_is_over = False

    def subscribe(self, name, body, api):
        if body == b"bad":
            raise RefusedError("ValidationError", "types should not be empty")
        self.names.append((name, api))
        return "OK"

    def init_over(self):
        self.init_is_over = True

    def close(self):
        pass


async def test_who_has_registered_may_subscribe_to_telemetry_until_init_is_over(extensions):
    def ask_for(path, id, body=b"{}"):
        return ExtensionsApi(extensions).subscribe(
            Request("PUT", path, path, "", {"lambda-extension-identifier": id}, body)
        )

    noted = NotedSubscriptions()
    agent = identifier(await register(extensions, "agent", "INVOKE"))
    assert (
        json.loads(ask_for("/2022-07-01/telemetry", agent).body)["errorType"]
        == "Telemetry.SubscriptionClosed"
    )
    extensions.open_telemetry = lambda: noted
    answer = ask_for("/2022-07-01/telemetry", agent)
    assert (answer.status, answer.body) == (200, b'"OK"')
    assert ask_for("/2020-08-15/logs/", agent).body == b'"OK"'
    assert noted.names == [("agent", "Telemetry"), ("agent", "Logs")]
    assert json.loads(ask_for("/2020-08-15/logs", agent, b"bad").body) == {
        "errorType": "Logs.ValidationError",
        "errorMessage": "types should not be empty",
    }
    assert ask_for("/2022-07-01/telemetry", "nobody").status == 403
    waiting = ask(extensions, agent)
    await extensions.initialized()
    assert noted.init_is_over
    late = ask_for("/2020-08-15/logs", agent)
    assert (late.status, json.loads(late.body)) == (
        403,
        {"errorType": "Logs.SubscriptionClosed", "errorMessage": "Logs API subscription is closed already"},
    )
    waiting.cancel()


def test_the_variables_of_an_extension():
    assert variables_of({"AWS_REGION": "x", "_HANDLER": "h", "MINE": "1"}) == {"AWS_REGION": "x", "MINE": "1"}
