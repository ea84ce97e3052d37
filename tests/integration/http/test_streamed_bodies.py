"""Bodies that are handed on as they arrive: how much is held, who waits for whom, and clients that stop half way."""

import asyncio
import contextlib

import pytest

from lambent.http.limits import Limits
from lambent.http.listener import HttpListener
from lambent.http.message import Response

MIB = 1024 * 1024


@contextlib.asynccontextmanager
async def serving(handler, **limits):
    most = Limits(streamed_bytes_min=10, body_bytes_max=1000, **limits)
    listener = HttpListener(handler, limits=most, streams=lambda method, target, headers: method == "PUT")
    await listener.start()
    before = asyncio.all_tasks()
    try:
        yield listener
    finally:
        await listener.close()
        assert listener.connection_count == 0
        assert listener.held_bytes == 0
        assert asyncio.all_tasks() <= before


async def connect(listener):
    return await asyncio.open_connection("127.0.0.1", listener.addresses[0][1])


def head(length, *more, method="PUT"):
    lines = [f"{method} /k HTTP/1.1", "Host: h", f"Content-Length: {length}", *more, "", ""]
    return "\r\n".join(lines).encode()


async def until(condition):
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within 5 s")


async def count(request):
    if request.stream is None:
        return Response(200, [], b"whole %d" % len(request.body))
    sizes = [len(piece) async for piece in request.stream]
    return Response(200, [], b"streamed %d" % sum(sizes))


async def answer(reader):
    found = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    length = int(found.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return found, await reader.readexactly(length)


async def test_large_bodies_are_streamed_and_others_are_not():
    async with serving(count) as listener:
        reader, writer = await connect(listener)
        writer.write(
            head(3 * MIB) + b"x" * 3 * MIB + head(5) + b"small" + head(12, method="POST") + b"x" * 12
        )
        assert (await answer(reader))[1] == b"streamed 3145728"
        assert (await answer(reader))[1] == b"whole 5"
        assert (await answer(reader))[1] == b"whole 12"
        chunked = b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        writer.write(chunked + head(2000, method="POST"))
        assert (await answer(reader))[1] == b"streamed 3"
        assert (await answer(reader))[0].startswith(b"HTTP/1.1 413 ")
        writer.close()


async def test_a_client_is_read_no_faster_than_its_body_is_taken():
    go_on = asyncio.Event()

    async def slow(request):
        await go_on.wait()
        return await count(request)

    async with serving(slow) as listener:
        reader, writer = await connect(listener)
        writer.write(head(40 * MIB) + b"x" * 40 * MIB)
        await until(lambda: listener.held_bytes > MIB)
        await asyncio.sleep(0.05)
        assert listener.held_bytes < 4 * MIB
        go_on.set()
        assert (await answer(reader))[1] == b"streamed 41943040"
        writer.close()


async def test_going_on_is_said_when_the_body_is_wanted():
    go_on = asyncio.Event()

    async def slow(request):
        await go_on.wait()
        return await count(request)

    async with serving(slow) as listener:
        reader, writer = await connect(listener)
        writer.write(head(11, "Expect: 100-continue"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.05)
        go_on.set()
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hello world")
        assert (await answer(reader))[1] == b"streamed 11"
        writer.close()


async def test_an_answer_before_the_end_of_the_body_ends_the_connection():
    async def refuse(request):
        return Response(403, [], b"no")

    async with serving(refuse) as listener:
        reader, writer = await connect(listener)
        writer.write(head(10 * MIB) + b"x" * 100_000)
        found, body = await answer(reader)
        assert found.startswith(b"HTTP/1.1 403 ")
        assert b"connection: close" in found
        assert body == b"no"
        writer.close()
        await until(lambda: listener.connection_count == 0)


async def test_a_client_that_stops_half_way_ends_its_handler():
    ended = asyncio.Event()

    async def handler(request):
        try:
            return await count(request)
        except asyncio.CancelledError:
            ended.set()
            raise

    async with serving(handler) as listener:
        _, writer = await connect(listener)
        writer.write(head(10 * MIB) + b"x" * 100_000)
        await until(lambda: listener.held_bytes < 100_000 and listener.connection_count == 1)
        writer.close()
        await asyncio.wait_for(ended.wait(), 5)


async def test_more_than_is_read_is_refused_at_once():
    async with serving(count, streamed_bytes_max=1000) as listener:
        reader, writer = await connect(listener)
        writer.write(head(2000))
        assert (await answer(reader))[0].startswith(b"HTTP/1.1 413 ")
        writer.close()


@pytest.mark.parametrize("rest", [b"nonsense\r\n", b"%x\r\n%s\r\n" % (2000, b"x" * 2000)])
async def test_what_goes_on_as_no_body_ends_both(rest):
    began, ended = asyncio.Event(), asyncio.Event()

    async def handler(request):
        began.set()
        try:
            return await count(request)
        finally:
            ended.set()

    async with serving(handler, streamed_bytes_max=1000) as listener:
        reader, writer = await connect(listener)
        writer.write(b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await began.wait()
        writer.write(rest)
        await asyncio.wait_for(ended.wait(), 5)
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_a_body_that_stops_coming_is_not_waited_for_any_longer():
    ended = asyncio.Event()

    async def handler(request):
        try:
            return await count(request)
        finally:
            ended.set()

    async with serving(handler, body_seconds=0.1) as listener:
        _, writer = await connect(listener)
        writer.write(head(10 * MIB) + b"x" * 100)
        await asyncio.wait_for(ended.wait(), 8)
        writer.close()
