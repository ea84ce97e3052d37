import asyncio
import dataclasses
import json

import pytest

from lambent.environments.link import RESPONSE_BYTES_MOST, InvokeRequest, LinkClosedError, NotTakenError
from lambent.environments.runtime_api import RuntimeApi, closed_runtime_api
from lambent.http.message import Request, Response

BASE = "/2018-06-01/runtime/"


def request(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Request:
    return Request(method, BASE + path, BASE + path, "", headers or {}, body)


def invocation(request_id: str = "r-1") -> InvokeRequest:
    return InvokeRequest(
        request_id=request_id, deadline_ms=123, invoked_arn="arn:x", payload=b"{}", trace_id="Root=1"
    )


async def next_invocation(api: RuntimeApi) -> Response:
    return await api.handle(request("GET", "invocation/next"))


async def test_the_first_next_says_that_init_is_over_and_waits_for_an_invocation():
    api = RuntimeApi()
    initialized = api.initialize({})
    waiting = asyncio.create_task(next_invocation(api))
    assert (await initialized).kind == "initialized"
    reply = api.invoke(invocation())
    response = await waiting
    headers = dict(response.headers)
    assert headers["Lambda-Runtime-Aws-Request-Id"] == "r-1"
    assert headers["Lambda-Runtime-Deadline-Ms"] == "123"
    assert headers["Lambda-Runtime-Invoked-Function-Arn"] == "arn:x"
    assert headers["Lambda-Runtime-Trace-Id"] == "Root=1"
    accepted = await api.handle(request("POST", "invocation/r-1/response", b'"ok"'))
    assert accepted.status == 202
    assert (await reply).payload == b'"ok"'


async def started(api: RuntimeApi) -> "asyncio.Future":
    initialized = api.initialize({})
    waiting = asyncio.create_task(next_invocation(api))
    await initialized
    reply = api.invoke(invocation())
    await waiting
    return reply


async def test_an_error_names_its_type():
    api = RuntimeApi()
    reply = await started(api)
    headers = {"lambda-runtime-function-error-type": "Function.Oops"}
    await api.handle(request("POST", "invocation/r-1/error", b'{"errorMessage":"x"}', headers))
    assert ((await reply).kind, (await reply).error_type) == ("failed", "Function.Oops")


async def test_answering_twice_is_refused_and_changes_nothing():
    api = RuntimeApi()
    reply = await started(api)
    await api.handle(request("POST", "invocation/r-1/response", b"1"))
    again = await api.handle(request("POST", "invocation/r-1/response", b"2"))
    assert again.status == 403
    assert (await reply).payload == b"1"


async def test_answering_another_invocation_is_refused():
    api = RuntimeApi()
    await started(api)
    answer = await api.handle(request("POST", "invocation/r-2/response", b"1"))
    assert (answer.status, json.loads(answer.body)["errorType"]) == (400, "InvalidRequestID")


async def test_asking_for_the_next_before_answering_is_refused():
    api = RuntimeApi()
    await started(api)
    assert (await next_invocation(api)).status == 403


async def test_init_error_fails_init():
    api = RuntimeApi()
    initialized = api.initialize({})
    headers = {"lambda-runtime-function-error-type": "Runtime.NoSuchHandler"}
    assert (await api.handle(request("POST", "init/error", b"{}", headers))).status == 202
    assert (await initialized).kind == "init_failed"


async def test_a_response_over_the_limit_is_413_and_a_function_error():
    api = RuntimeApi()
    reply = await started(api)
    answer = await api.handle(request("POST", "invocation/r-1/response", b"x" * (RESPONSE_BYTES_MOST + 1)))
    assert answer.status == 413
    assert (await reply).error_type == "Function.ResponseSizeTooLarge"


async def test_the_end_of_the_runtime_fails_the_invocation():
    api = RuntimeApi()
    reply = await started(api)
    api.close()
    with pytest.raises(LinkClosedError):
        await reply


@pytest.mark.parametrize(("method", "path"), [("GET", "nowhere"), ("DELETE", "invocation/next")])
async def test_unknown_paths_are_404(method, path):
    assert (await RuntimeApi().handle(request(method, path))).status == 404


async def test_behind_our_own_bootstraps_it_is_closed():
    assert (await closed_runtime_api(request("GET", "invocation/next"))).status == 403


async def test_an_answer_between_the_cancellation_and_the_next_who_waits_is_not_lost():
    api = RuntimeApi()
    (await started(api)).cancel()
    await api.handle(request("POST", "invocation/r-1/response", b"1"))
    assert (await api.await_again()).payload == b"1"


async def test_an_invocation_given_to_a_connection_that_broke_goes_to_the_next():
    api = RuntimeApi()
    initialized = api.initialize({})
    waiting = asyncio.create_task(next_invocation(api))
    await initialized
    api.invoke(invocation())
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert dict((await next_invocation(api)).headers)["Lambda-Runtime-Aws-Request-Id"] == "r-1"


async def test_an_invocation_that_nobody_took_before_the_end_was_not_taken():
    api = RuntimeApi()
    reply = api.invoke(invocation())
    api.close()
    with pytest.raises(NotTakenError):
        await reply
    with pytest.raises(NotTakenError):
        await api.invoke(invocation())


async def test_only_one_connection_may_wait_for_the_next():
    api = RuntimeApi()
    waiting = asyncio.create_task(next_invocation(api))
    await asyncio.sleep(0)
    assert (await next_invocation(api)).status == 403
    waiting.cancel()


async def test_init_cannot_fail_after_it_succeeded():
    api = RuntimeApi()
    await started(api)
    assert (await api.handle(request("POST", "init/error", b"{}"))).status == 403


async def test_what_goes_with_an_invocation_is_in_the_headers():
    api = RuntimeApi()
    api.invoke(dataclasses.replace(invocation(), client_context='{"a":1}', identity={"b": 2}))
    headers = dict((await next_invocation(api)).headers)
    assert headers["Lambda-Runtime-Client-Context"] == '{"a":1}'
    assert json.loads(headers["Lambda-Runtime-Cognito-Identity"]) == {"b": 2}
