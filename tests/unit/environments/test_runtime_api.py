import asyncio
import json

import msgspec.structs
import pytest

from lambent.environments.link import RESPONSE_BYTES_MOST, InvokeRequest, LinkClosedError, NotTakenError
from lambent.environments.runtime_api import RuntimeApi, closed_runtime_api
from lambent.http.body import BodyStream
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


async def started(api: RuntimeApi, sink=None) -> "asyncio.Future":
    initialized = api.initialize({})
    waiting = asyncio.create_task(next_invocation(api))
    await initialized
    reply = api.invoke(msgspec.structs.replace(invocation(), sink=sink))
    await waiting
    return reply


class Sink:
    """Takes pieces, and holds the function back from the first on if told to."""

    executed_version = ""

    def __init__(self, *, slow: bool = False) -> None:
        self.pieces: list[bytes] = []
        self.content_type = None
        self.resume = lambda: None
        self._slow = slow

    def begin(self, content_type, pause, resume) -> None:
        self.content_type, self._pause, self.resume = content_type, pause, resume

    def write(self, piece: bytes) -> None:
        self.pieces.append(piece)
        if self._slow:
            self._pause()

    def finish(self) -> bytes | None:
        return b""


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def streamed(api: RuntimeApi) -> "tuple[BodyStream, asyncio.Task[Response]]":
    headers = {"lambda-runtime-function-response-mode": "Streaming", "content-type": "text/x"}
    posted = request("POST", "invocation/r-1/response", headers=headers)
    posted.stream = BodyStream()
    return posted.stream, asyncio.create_task(api.handle(posted))


async def test_a_streamed_response_goes_on_as_it_arrives():
    sink, api = Sink(), RuntimeApi()
    reply = await started(api, sink)
    stream, answer = streamed(api)
    stream.feed(b"first")
    await settle()
    assert (sink.pieces, sink.content_type, reply.done()) == ([b"first"], "text/x", False)
    assert (await next_invocation(api)).status == 403
    assert (await api.handle(request("POST", "invocation/r-1/response", b"x"))).status == 403
    stream.feed(b"last")
    stream.end()
    assert (await answer).status == 202
    assert sink.pieces == [b"first", b"last"]
    assert (await reply).kind == "result"


async def test_a_stream_waits_for_its_reader():
    sink, api = Sink(slow=True), RuntimeApi()
    await started(api, sink)
    stream, answer = streamed(api)
    stream.feed(b"first")
    await settle()
    stream.feed(b"second")
    stream.end()
    await settle()
    assert sink.pieces == [b"first"]
    sink.resume()
    await settle()
    assert sink.pieces == [b"first", b"second"]
    sink.resume()
    await answer


@pytest.mark.parametrize(
    ("trailers", "error_type", "error"),
    [
        ({"type": "Function.Oops", "body": "eyJhIjoxfQ=="}, "Function.Oops", b'{"a":1}'),
        ({"type": "Function.Oops"}, "Function.Oops", b""),
        ({"body": '{"a":1}'}, "Runtime.Unknown", b'{"a":1}'),
    ],
)
async def test_trailers_tell_of_a_failure_midway(trailers, error_type, error):
    api = RuntimeApi()
    reply = await started(api, Sink())
    stream, answer = streamed(api)
    stream.trailers.update(
        {f"lambda-runtime-function-error-{name}": value for name, value in trailers.items()}
    )
    stream.end()
    await answer
    assert ((await reply).kind, (await reply).error_type, (await reply).payload) == (
        "failed",
        error_type,
        error,
    )


async def test_a_stream_that_breaks_off_is_truncated_and_the_runtime_goes_on():
    api = RuntimeApi()
    reply = await started(api, Sink())
    stream, answer = streamed(api)
    stream.feed(b"first")
    await settle()
    answer.cancel()
    assert (await reply).error_type == "Runtime.TruncatedResponse"
    waiting = asyncio.create_task(next_invocation(api))
    api.invoke(invocation("r-2"))
    assert (await waiting).status == 200


async def test_a_stream_that_breaks_off_with_its_runtime_is_not_truncated_but_lost():
    api = RuntimeApi()
    reply = await started(api, Sink())
    _, answer = streamed(api)
    await settle()
    answer.cancel()
    api.close()
    with pytest.raises(LinkClosedError):
        await reply


async def test_a_streamed_response_is_collected_for_who_wants_it_whole():
    api = RuntimeApi()
    reply = await started(api)
    stream, answer = streamed(api)
    for _ in range(7):
        stream.feed(b"x" * 1024 * 1024)
        await settle()
    stream.end()
    await answer
    assert (await reply).error_type == "Function.ResponseSizeTooLarge"


async def test_a_short_response_with_the_header_is_a_stream_in_one_piece():
    sink, api = Sink(), RuntimeApi()
    reply = await started(api, sink)
    headers = {"lambda-runtime-function-response-mode": "streaming"}
    assert (await api.handle(request("POST", "invocation/r-1/response", b"all", headers))).status == 202
    assert sink.pieces == [b"all"]
    assert (await reply).kind == "result"


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
    api.invoke(msgspec.structs.replace(invocation(), client_context='{"a":1}', identity={"b": 2}))
    headers = dict((await next_invocation(api)).headers)
    assert headers["Lambda-Runtime-Client-Context"] == '{"a":1}'
    assert json.loads(headers["Lambda-Runtime-Cognito-Identity"]) == {"b": 2}
