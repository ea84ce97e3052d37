import asyncio
import json
import socket
import struct

import msgspec.structs
import pytest

from lambent.environments.channel import Channel
from lambent.environments.link import (
    RESPONSE_BYTES_MOST,
    InvokeRequest,
    LinkClosedError,
    NotTakenError,
    ProtocolError,
)

REQUEST = InvokeRequest(request_id="r-1", deadline_ms=1, invoked_arn="arn", payload=b'{"a":1}')


HEADER = struct.Struct("<BIII")


def frame(kind: int, meta: bytes = b"", payload: bytes = b"", *, to: int = 1) -> bytes:
    """One that answers the request numbered `to`."""
    return HEADER.pack(kind, to, len(meta), len(payload)) + meta + payload


@pytest.fixture
async def pair():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    channel = await Channel.connect(ours)
    yield channel, theirs
    channel.close()
    theirs.close()
    await asyncio.sleep(0)


async def test_ready_may_come_before_anybody_asks(pair):
    channel, bootstrap = pair
    bootstrap.send(frame(16, to=0))
    await asyncio.sleep(0.01)
    assert (await channel.ready()).kind == "ready"


async def test_an_invocation_is_one_frame_each_way(pair):
    channel, bootstrap = pair
    reply = channel.invoke(REQUEST)
    loop = asyncio.get_running_loop()
    kind, sequence, meta_length, payload_length = HEADER.unpack(await loop.sock_recv(bootstrap, HEADER.size))
    assert (kind, sequence) == (2, 1)
    assert json.loads(await loop.sock_recv(bootstrap, meta_length)) == {
        "request_id": "r-1",
        "deadline_ms": 1,
        "invoked_arn": "arn",
    }
    assert await loop.sock_recv(bootstrap, payload_length) == b'{"a":1}'
    bootstrap.send(frame(19, b"", b'"done"'))
    assert (await reply).payload == b'"done"'


async def test_a_reply_in_pieces_is_put_together(pair):
    channel, bootstrap = pair
    reply = channel.invoke(REQUEST)
    for byte in frame(20, b'{"error_type":"E"}', b'{"errorMessage":"x"}'):
        bootstrap.send(bytes([byte]))
        await asyncio.sleep(0)
    answer = await reply
    assert (answer.kind, answer.error_type, answer.payload) == ("failed", "E", b'{"errorMessage":"x"}')


async def test_a_response_over_the_limit_is_never_held_and_the_channel_stays_usable(pair):
    channel, bootstrap = pair
    reply = channel.invoke(REQUEST)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(bootstrap, frame(19, b"", b"x" * (RESPONSE_BYTES_MOST + 1)))
    assert json.loads((await reply).payload)["errorType"] == "Function.ResponseSizeTooLarge"
    reply = channel.invoke(REQUEST)
    bootstrap.send(frame(19, b"", b"1", to=2))
    assert (await reply).payload == b"1"


async def test_an_answer_nobody_asked_for_breaks_the_channel(pair):
    channel, bootstrap = pair
    reply = channel.invoke(REQUEST)
    bootstrap.send(frame(19, b"", b"1") + frame(19, b"", b"2"))
    assert (await reply).payload == b"1"
    await asyncio.sleep(0.01)
    with pytest.raises(NotTakenError):
        await channel.invoke(REQUEST)


@pytest.mark.parametrize("length", [1, RESPONSE_BYTES_MOST + 1])
@pytest.mark.parametrize("kind", [19, 20, 21])
async def test_a_late_answer_to_the_request_before_is_not_taken_for_the_next(pair, kind, length):
    channel, bootstrap = pair
    reply = channel.invoke(REQUEST)
    bootstrap.send(frame(19, b"", b"1"))
    await reply
    reply = channel.invoke(REQUEST)
    await asyncio.get_running_loop().sock_sendall(bootstrap, frame(kind, b"", b"x" * length)[:100_000])
    with pytest.raises(ProtocolError, match="answered request 1"):
        await reply


@pytest.mark.parametrize("garbage", [frame(99), b"\xff" * 64])
async def test_garbage_breaks_the_channel(pair, garbage):
    channel, bootstrap = pair
    reply = channel.invoke(REQUEST)
    bootstrap.send(garbage)
    with pytest.raises(ProtocolError):
        await reply


async def test_a_closed_channel_fails_the_open_request_and_the_next(pair):
    channel, bootstrap = pair
    reply = channel.invoke(REQUEST)
    bootstrap.close()
    with pytest.raises(LinkClosedError):
        await reply
    with pytest.raises(LinkClosedError):
        await channel.invoke(REQUEST)


async def test_another_may_wait_on_when_the_first_who_waited_was_cancelled(pair):
    channel, bootstrap = pair
    channel.invoke(REQUEST).cancel()
    reply = channel.await_again()
    bootstrap.send(frame(19, b"", b"1"))
    assert (await reply).payload == b"1"


async def test_an_answer_of_another_kind_breaks_the_channel(pair):
    channel, bootstrap = pair
    reply = channel.invoke(REQUEST)
    bootstrap.send(frame(17, b"", b""))
    with pytest.raises(ProtocolError, match="initialized"):
        await reply


async def test_an_answer_between_the_cancellation_and_the_next_who_waits_is_not_lost(pair):
    channel, bootstrap = pair
    channel.invoke(REQUEST).cancel()
    bootstrap.send(frame(19, b"", b"1"))
    await asyncio.sleep(0.01)
    assert (await channel.await_again()).payload == b"1"
    reply = channel.invoke(REQUEST)
    bootstrap.send(frame(19, b"", b"2", to=2))
    assert (await reply).payload == b"2"


async def test_an_invocation_of_a_channel_that_is_closed_already_was_not_taken(pair):
    channel, bootstrap = pair
    bootstrap.close()
    await asyncio.sleep(0.01)
    with pytest.raises(NotTakenError):
        await channel.invoke(REQUEST)


async def test_optional_fields_are_sent_only_where_there_are_any(pair):
    channel, bootstrap = pair
    channel.invoke(msgspec.structs.replace(REQUEST, trace_id="t", client_context="{}", identity={"a": 1}))
    loop = asyncio.get_running_loop()
    _, _, meta_length, _ = HEADER.unpack(await loop.sock_recv(bootstrap, HEADER.size))
    meta = json.loads(await loop.sock_recv(bootstrap, meta_length))
    assert (meta["trace_id"], meta["client_context"], meta["identity"]) == ("t", "{}", {"a": 1})


class Sink:
    """Takes pieces, and says afterwards that they were `most` bytes at most."""

    def __init__(self, most: int = 100) -> None:
        self.pieces: list[bytes] = []
        self.most = most

    def begin(self, content_type, pause, resume):
        self.content_type, self.pause, self.resume = content_type, pause, resume

    def write(self, piece):
        self.pieces.append(piece)

    def finish(self):
        return b"" if sum(map(len, self.pieces)) <= self.most else None


async def test_pieces_of_a_response_go_to_the_sink_as_they_come(pair):
    channel, bootstrap = pair
    sink = Sink()
    reply = channel.invoke(msgspec.structs.replace(REQUEST, sink=sink))
    bootstrap.send(frame(21, b'{"content_type":"text/html"}', b"a"))
    await asyncio.sleep(0.01)
    assert (sink.pieces, sink.content_type, reply.done()) == ([b"a"], "text/html", False)
    bootstrap.send(frame(21, b"", b"b") + frame(21) + frame(19))
    answer = await reply
    assert (answer.kind, answer.payload, sink.pieces) == ("result", b"", [b"a", b"b"])


async def test_pieces_that_nobody_wants_are_put_together(pair):
    channel, bootstrap = pair
    reply = channel.invoke(REQUEST)
    bootstrap.send(frame(21, b"", b"a") + frame(21, b"", b"b") + frame(19))
    assert (await reply).payload == b"ab"
    reply = channel.invoke(REQUEST)
    bootstrap.send(frame(19, b"", b'"whole"', to=2))
    assert (await reply).payload == b'"whole"'


async def test_what_fails_midway_fails(pair):
    channel, bootstrap = pair
    sink = Sink()
    reply = channel.invoke(msgspec.structs.replace(REQUEST, sink=sink))
    bootstrap.send(frame(21, b"", b"a") + frame(20, b'{"error_type":"E"}', b"{}"))
    answer = await reply
    assert (answer.kind, answer.error_type, sink.pieces) == ("failed", "E", [b"a"])


async def test_too_much_is_an_error_in_both_ways(pair):
    channel, bootstrap = pair
    loop = asyncio.get_running_loop()
    for number, request in enumerate((REQUEST, msgspec.structs.replace(REQUEST, sink=Sink(most=1))), 1):
        reply = channel.invoke(request)
        for _ in range(4):
            await loop.sock_sendall(bootstrap, frame(21, b"", b"x" * 2_000_000, to=number))
        bootstrap.send(frame(19, to=number))
        assert (await reply).error_type == "Function.ResponseSizeTooLarge"


async def test_a_sink_can_hold_the_runtime_back(pair):
    channel, bootstrap = pair
    sink = Sink()
    reply = channel.invoke(msgspec.structs.replace(REQUEST, sink=sink))
    bootstrap.send(frame(21, b"", b"a"))
    await asyncio.sleep(0.01)
    sink.pause()
    bootstrap.send(frame(21, b"", b"b") + frame(19))
    await asyncio.sleep(0.02)
    assert sink.pieces == [b"a"]
    sink.resume()
    assert (await reply).kind == "result"
    assert sink.pieces == [b"a", b"b"]


@pytest.mark.parametrize("end", [19, 20])
async def test_a_sink_that_is_behind_at_the_end_does_not_hold_back_the_next_invocation(pair, end):
    channel, bootstrap = pair
    first, second = Sink(), Sink()
    first.write = lambda piece: first.pause()
    reply = channel.invoke(msgspec.structs.replace(REQUEST, sink=first))
    bootstrap.send(frame(21, b"", b"a") + frame(end))
    await reply
    reply = channel.invoke(msgspec.structs.replace(REQUEST, sink=second))
    bootstrap.send(frame(21, b"", b"b", to=2))
    await asyncio.sleep(0.01)
    assert second.pieces == [b"b"]
    second.pause()
    first.resume()
    bootstrap.send(frame(21, b"", b"c", to=2) + frame(19, to=2))
    await asyncio.sleep(0.01)
    assert second.pieces == [b"b"]
    second.resume()
    await asyncio.wait_for(reply, 5)


async def test_a_piece_that_nobody_asked_for_breaks_the_protocol(pair):
    channel, bootstrap = pair
    bootstrap.send(frame(21, b"", b"a"))
    await asyncio.sleep(0.01)
    with pytest.raises(ProtocolError):
        await channel.ready()
