import asyncio

import pytest

from lambent.base.clock import ManualClock
from lambent.invoke.response_stream import ResponseStream, StreamLimits
from lambent.model.invocation import InvocationResult
from lambent.model.lambda_errors import TooManyRequestsException

RESULT = InvocationResult(payload=b"", executed_version="7")
KIB = 1024


class Function:
    """Writes to a stream, and can be held back by it."""

    def __init__(self, **limits: int) -> None:
        self.clock = ManualClock()
        self.slept: list[float] = []
        self.stream = ResponseStream(StreamLimits(**limits), self.clock, self._sleep)
        self.result: asyncio.Future[InvocationResult] = asyncio.get_running_loop().create_future()
        self.running = asyncio.create_task(self.stream.run(self.result))
        self.held = False

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)

    def begin(self) -> None:
        self.stream.begin("text/plain", lambda: self._hold(True), lambda: self._hold(False))

    def _hold(self, held: bool) -> None:
        self.held = held


@pytest.fixture
async def function():
    return Function()


async def test_a_stream_begins_with_the_first_sign_of_it(function):
    begun = asyncio.create_task(function.stream.begun())
    await asyncio.sleep(0)
    assert not begun.done()
    function.begin()
    await begun
    assert (function.stream.streamed, function.stream.content_type) == (True, "text/plain")
    pieces = function.stream.pieces()
    function.stream.write(b"a")
    assert await anext(pieces) == b"a"
    function.stream.write(b"b")
    function.result.set_result(RESULT)
    assert [piece async for piece in pieces] == [b"b"]
    assert function.stream.result is RESULT


async def test_what_does_not_stream_begins_when_it_has_ended(function):
    function.result.set_result(RESULT)
    await function.stream.begun()
    assert not function.stream.streamed
    assert [piece async for piece in function.stream.pieces()] == []
    assert function.stream.result is RESULT


async def test_what_kept_it_from_running_is_raised(function):
    function.result.set_exception(TooManyRequestsException("Rate Exceeded."))
    with pytest.raises(TooManyRequestsException):
        await function.stream.begun()


async def test_a_function_is_held_back_by_a_slow_reader_and_let_go_by_one_who_leaves(function):
    function.begin()
    pieces = function.stream.pieces()
    function.stream.write(b"x" * 200 * KIB)
    assert not function.held
    function.stream.write(b"x" * 200 * KIB)
    assert function.held
    await anext(pieces)
    assert function.held
    await anext(pieces)
    assert not function.held
    for _ in range(2):
        function.stream.write(b"x" * 200 * KIB)
    assert function.held
    await pieces.aclose()
    assert not function.held
    for _ in range(9):
        function.stream.write(b"x" * 200 * KIB)
    assert not function.held


async def test_beyond_six_megabytes_there_is_a_speed_limit():
    function = Function(uncapped_bytes=100, bytes_per_second=10)
    function.begin()
    for size in (60, 60, 20, 5):
        function.stream.write(b"x" * size)
    function.result.set_result(RESULT)
    assert [len(piece) async for piece in function.stream.pieces()] == [60, 60, 20, 5]
    assert function.slept == [6.0, 2.0]


async def test_beyond_the_most_nothing_is_sent():
    function = Function(bytes_most=10)
    function.begin()
    function.stream.write(b"x" * 10)
    assert function.stream.finish() == b""
    function.stream.write(b"x")
    assert function.stream.finish() is None
    function.result.set_result(RESULT)
    assert [piece async for piece in function.stream.pieces()] == [b"x" * 10]
