"""A listener on a real socket, and clients that behave, misbehave and go away."""

import asyncio
import contextlib
import socket

import pytest
import uvloop

from lambent.http.limits import Limits
from lambent.http.listener import HttpListener
from lambent.http.message import Response


@pytest.fixture(params=["asyncio", "uvloop"])
def event_loop_policy(request):
    return uvloop.EventLoopPolicy() if request.param == "uvloop" else asyncio.DefaultEventLoopPolicy()


@contextlib.asynccontextmanager
async def serving(handler, **limits):
    listener = HttpListener(handler, limits=Limits(**limits))
    await listener.start()
    before = asyncio.all_tasks()
    try:
        yield listener, Client(listener.addresses[0][1])
    finally:
        await listener.close()
        assert listener.connection_count == 0
        assert listener.held_bytes == 0
        assert asyncio.all_tasks() <= before


class Client:
    def __init__(self, port):
        self.port = port
        self._writers = []

    async def open(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, wire):
        """All that comes back until the server closes."""
        reader, writer = await self.open()
        writer.write(wire)
        try:
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()


async def until(condition):
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within 5 s")


async def echo(request):
    text = f"{request.method} {request.path} {len(request.body)}".encode()
    return Response(200, [("x-peer", request.peer)], text)


GET = b"GET /%s HTTP/1.1\r\nHost: h\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


async def test_pipelined_requests_are_answered_in_order():
    order = []

    async def handler(request):
        await asyncio.sleep(0.01 if request.path == "/slow" else 0)
        order.append(request.path)
        return Response(200, [], request.path.encode())

    async with serving(handler) as (_, client):
        answer = await client.ask(GET % b"slow" + GET % b"fast" * 40 + LAST)
    assert order == ["/slow", *["/fast"] * 40, "/last"]
    assert answer.count(b"HTTP/1.1 200 OK") == 42
    assert answer.index(b"/slow") < answer.index(b"/fast") < answer.index(b"/last")
    assert answer.count(b"connection: close") == 1


async def test_both_event_loops_are_tested(request):
    expected = request.node.callspec.params["event_loop_policy"]
    assert type(asyncio.get_running_loop()).__module__.startswith(expected)


async def test_one_connection_for_many_requests():
    async with serving(echo) as (listener, client):
        reader, writer = await client.open()
        for _ in range(3):
            writer.write(GET % b"again")
            head = await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(12) == b"GET /again 0"
            assert b"x-peer: 127.0.0.1" in head
        assert listener.connection_count == 1
        writer.close()


async def test_head_has_the_length_and_no_body():
    async with serving(echo) as (_, client):
        answer = await client.ask(b"HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n" + LAST)
    first, second = answer.split(b"\r\n\r\n", 1)
    assert b"content-length: 9" in first
    assert second.startswith(b"HTTP/1.1 200 OK")


async def test_http10_is_answered_and_closed():
    async with serving(echo) as (_, client):
        answer = await client.ask(b"GET /old HTTP/1.0\r\n\r\n")
    assert b"connection: close\r\n" in answer
    assert answer.endswith(b"GET /old 0")


async def test_continue_is_sent_when_the_headers_pass():
    async with serving(echo, body_bytes_max=10) as (_, client):
        reader, writer = await client.open()
        writer.write(b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"12345")
        assert (await reader.readuntil(b"PUT / 5")).startswith(b"HTTP/1.1 200 OK")
        writer.close()
        answer = await client.ask(
            b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n"
        )
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_continue_waits_for_the_answer_before_it():
    release = asyncio.Event()

    async def handler(request):
        await release.wait()
        return Response(200, [], request.method.encode())

    async with serving(handler) as (_, client):
        reader, writer = await client.open()
        writer.write(
            GET % b"" + b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
        )
        await asyncio.sleep(0.05)
        release.set()
        answer = await reader.readuntil(b"Continue\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 OK")
        writer.write(b"x")
        assert (await reader.readuntil(b"PUT")).startswith(b"HTTP/1.1 200 OK")
        writer.close()


async def test_a_chunked_body_comes_whole():
    async with serving(echo) as (_, client):
        answer = await client.ask(
            b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
    assert answer.endswith(b"POST / 5")


async def test_a_streamed_answer_is_chunked():
    async def pieces():
        for piece in (b"one", b"", b"two"):
            yield piece
            await asyncio.sleep(0)

    async def handler(request):
        return Response(200, [], pieces())

    async with serving(handler) as (_, client):
        answer = await client.ask(LAST)
        assert b"transfer-encoding: chunked\r\n" in answer
        assert answer.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
        answer = await client.ask(b"GET / HTTP/1.0\r\n\r\n")
        assert b"chunked" not in answer
        assert answer.endswith(b"\r\n\r\nonetwo")


async def test_a_streamed_answer_of_declared_length_is_not_chunked():
    async def pieces():
        yield b"abc"

    async def handler(request):
        return Response(200, [("Content-Length", "3" if request.path == "/last" else "4")], pieces())

    async with serving(handler) as (_, client):
        answer = await client.ask(LAST)
        assert b"content-length: 3\r\n" in answer
        assert answer.endswith(b"\r\n\r\nabc")
        # One that ends early breaks the connection instead of leaving the client waiting.
        with contextlib.suppress(ConnectionResetError):
            await client.ask(GET % b"short")


async def test_a_stream_that_fails_breaks_off():
    async def pieces():
        yield b"abc"
        raise RuntimeError("no more")

    async def handler(request):
        return Response(200, [], pieces())

    async with serving(handler) as (_, client):
        try:
            answer = await client.ask(GET % b"")
        except ConnectionResetError:
            return
    assert not answer.endswith(b"0\r\n\r\n")


async def test_a_stream_waits_for_a_client_that_does_not_read():
    produced = 0
    closed = asyncio.Event()

    async def pieces():
        nonlocal produced
        try:
            while True:
                produced += 1
                yield b"x" * 65536
        finally:
            closed.set()

    async def handler(request):
        return Response(200, [], pieces())

    async with serving(handler) as (_, client):
        _, writer = await client.open()
        writer.transport.pause_reading()
        writer.write(GET % b"")
        await asyncio.sleep(0.2)
        stalled_at = produced
        await asyncio.sleep(0.1)
        assert 0 < produced == stalled_at < 1000
        writer.transport.abort()
        await asyncio.wait_for(closed.wait(), 5)


@pytest.mark.parametrize("body", [0, 200_000])
async def test_a_client_that_asks_on_without_reading_is_not_served_on(body):
    answered = 0

    async def handler(request):
        nonlocal answered
        answered += 1
        return Response(200, [], b"x" * 60_000)

    wire = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % body + b"y" * body
    async with serving(handler) as (_, client):
        _, writer = await client.open()
        writer.transport.pause_reading()
        for _ in range(1000 if body == 0 else 100):
            writer.write(wire)
        await asyncio.sleep(0.3)
        stalled_at = answered
        await asyncio.sleep(0.1)
        assert 0 < answered == stalled_at < (1000 if body == 0 else 100)
        writer.transport.abort()


async def test_a_handler_that_was_cancelled_leaves_no_client_waiting():
    async def handler(request):
        raise asyncio.CancelledError

    async with serving(handler) as (_, client):
        try:
            answer = await client.ask(GET % b"")
        except ConnectionResetError:
            return
    assert answer == b""


async def test_the_handler_ends_with_its_client():
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def handler(request):
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serving(handler) as (_, client):
        _, writer = await client.open()
        writer.write(GET % b"")
        await asyncio.wait_for(started.wait(), 5)
        writer.close()
        await asyncio.wait_for(cancelled.wait(), 5)


@pytest.mark.parametrize(
    ("wire", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"hello?\r\n\r\n", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"y" * 3_000_000, b"431"),
        (b"GET /?X-Amz-Algorithm=x" + b"&%41=b" * 1000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", b"431"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\n\r\n" + b"x" * 3_000_000, b"413"),
        (
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"400",
        ),
    ],
)
async def test_what_cannot_be_read_is_answered_and_closed(wire, status):
    async with serving(echo) as (_, client):
        answer = await client.ask(wire)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"connection: close\r\n" in answer


async def test_garbage_after_good_requests_spoils_only_itself():
    async with serving(echo) as (_, client):
        answer = await client.ask(GET % b"good" * 2 + b"\x00\x00\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.count(b"HTTP/1.1 400 ") == 1


@pytest.mark.parametrize(
    ("limits", "wire"),
    [
        ({"head_seconds": 0.1}, b"GET / HTTP/1.1\r\nHo"),
        ({"body_seconds": 0.1}, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc"),
    ],
)
async def test_a_half_sent_request_is_not_waited_for(limits, wire):
    async with serving(echo, **limits) as (_, client):
        answer = await client.ask(wire)
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_trickle_is_not_waited_for():
    async with serving(echo, head_seconds=0.5) as (_, client):
        reader, writer = await client.open()
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n")
        answer = asyncio.ensure_future(reader.read())
        for number in range(100):
            if answer.done():
                break
            writer.write(b"X-%d: y\r\n" % number)
            await asyncio.sleep(0.05)
        assert (await answer).startswith(b"HTTP/1.1 408 ")
        writer.close()


@pytest.mark.parametrize("piece", [b"x" * 65536, b"x: y\r\n" * 10_000])
@pytest.mark.parametrize("start", [b"0\r\nx: ", b"5;x="])
async def test_what_frames_a_body_has_an_end(start, piece):
    """The parser copies a trailer for every piece that is added: without an end, one client stops the server."""
    async with serving(echo, head_bytes_max=200_000) as (_, client):
        reader, writer = await client.open()
        writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + start)
        answer = asyncio.ensure_future(reader.read(20))
        for _ in range(40):
            writer.write(piece)
            await writer.drain()
        assert (await asyncio.wait_for(answer, 5)).startswith(b"HTTP/1.1 4")
        writer.close()


async def test_bytes_that_came_fast_are_no_credit_for_those_that_do_not_come():
    async with serving(echo, body_seconds=0.5) as (_, client):
        head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000001\r\n\r\n"
        assert (await client.ask(head + b"x" * 4_000_000)).startswith(b"HTTP/1.1 408 ")


async def test_all_clients_together_hold_no_more_than_so_many_bytes():
    head = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    limits = {"held_bytes_max": 1_000_000, "held_bytes_free": 10_000}
    async with serving(echo, **limits) as (listener, client):
        _, hoarder = await client.open()
        hoarder.write(head % 900_001 + b"x" * 900_000)
        await hoarder.drain()
        await until(lambda: listener.held_bytes >= 900_000)
        assert (await client.ask(head % 200_000 + b"x" * 200_000)).startswith(b"HTTP/1.1 503 ")
        assert (await client.ask(head % 5_000 + b"x" * 5_000)).endswith(b"POST / 5000")
        hoarder.close()
        await until(lambda: listener.held_bytes == 0)
        assert (await client.ask(head % 200_000 + b"x" * 200_000)).endswith(b"POST / 200000")


async def test_what_is_answered_is_not_held_any_more():
    async with serving(echo) as (listener, client):
        reader, writer = await client.open()
        chunked = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        for _ in range(3):
            writer.write(GET % b"a" + chunked + GET % b"b")
            for _ in range(3):
                await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(8)
        assert listener.held_bytes == 0
        writer.close()


async def test_a_flood_of_connections_is_not_told_why():
    async with serving(echo, connections_max=1) as (listener, client):
        writers = [(await client.open())[1] for _ in range(300)]
        await asyncio.sleep(0.1)
        assert listener.connection_count <= 1 + 256
        for writer in writers:
            writer.close()


async def test_an_idle_connection_ends():
    async with serving(echo, idle_seconds=0.1) as (_, client):
        assert await client.ask(b"") == b""


async def test_too_many_connections():
    async with serving(echo, connections_max=1) as (_, client):
        _, writer = await client.open()
        await asyncio.sleep(0.05)
        assert (await client.ask(LAST)).startswith(b"HTTP/1.1 503 ")
        writer.close()


async def test_a_handler_that_fails_or_answers_nonsense():
    async def handler(request):
        if request.path == "/raise":
            raise RuntimeError("secret")
        return Response(200, [("x", "a\r\nb: c")])

    async with serving(handler) as (_, client):
        answer = await client.ask(GET % b"raise" + GET % b"inject" + LAST)
    assert answer.count(b"HTTP/1.1 500 ") == 3
    assert b"secret" not in answer
    assert b"b: c" not in answer


async def test_closing_lets_requests_in_progress_finish():
    started = asyncio.Event()

    async def handler(request):
        started.set()
        await asyncio.sleep(0.05)
        return Response(200, [], b"done")

    listener = HttpListener(handler)
    await listener.start()
    client = Client(listener.addresses[0][1])
    _, idle = await client.open()
    answer = asyncio.ensure_future(client.ask(GET % b""))
    await asyncio.wait_for(started.wait(), 5)
    await listener.close(drain_seconds=5)
    assert (await answer).endswith(b"done")
    assert b"connection: close\r\n" in await answer
    with pytest.raises(OSError):
        await client.open()
    idle.close()
    await listener.close()


async def test_closing_does_not_wait_for_ever():
    started = asyncio.Event()

    async def handler(request):
        started.set()
        await asyncio.sleep(60)

    async with serving(handler) as (listener, client):
        _, writer = await client.open()
        writer.write(GET % b"")
        await asyncio.wait_for(started.wait(), 5)
        await asyncio.wait_for(listener.close(drain_seconds=0.05), 5)
        writer.close()


async def test_a_bound_socket_handed_in():
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    listener = HttpListener(echo)
    await listener.start_on(sock)
    assert (await Client(listener.addresses[0][1]).ask(LAST)).endswith(b"GET /last 0")
    await listener.close()
    assert sock.fileno() == -1
