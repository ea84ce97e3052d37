import asyncio
import socket
import struct

import pytest

from lambent.environments.launched import Launched
from lambent.environments.link import LinkClosedError, ProtocolError
from lambent.http.message import Request

NEXT = "/2018-06-01/runtime/invocation/next"


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


async def test_it_is_ready_when_the_launcher_says_so_and_gets_the_variables(ends):
    ours, theirs = ends
    link = Launched(ours)
    assert not link.ready().done()
    theirs.send(b"\x01")
    assert (await link.ready()).kind == "ready"
    initializing = link.initialize({"variables": {"A": "1", "Ü": "a=b"}})
    (length,) = struct.unpack(">I", theirs.recv(4))
    assert theirs.recv(length).decode().split("\0") == ["A=1", "Ü=a=b"]
    assert theirs.recv(1) == b""
    asking = asyncio.ensure_future(link.handle(Request("GET", NEXT, NEXT, "", {}, b"")))
    assert (await initializing).kind == "initialized"
    link.close()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_launcher_that_ends_is_no_link(ends):
    ours, theirs = ends
    link = Launched(ours)
    theirs.close()
    with pytest.raises(ProtocolError):
        await link.ready()


async def test_one_that_is_closed_first_fails_who_waits(ends):
    link = Launched(ends[0])
    waiting = link.ready()
    link.close()
    with pytest.raises(LinkClosedError):
        await waiting
    with pytest.raises(LinkClosedError):
        await link.initialize({"variables": {}})


async def test_variables_for_one_that_has_ended_are_a_runtime_that_has_ended(ends):
    ours, theirs = ends
    link = Launched(ours)
    theirs.send(b"\x01")
    await link.ready()
    theirs.close()
    with pytest.raises(LinkClosedError):
        await link.initialize({"variables": {"A": "1"}})
