"""Two ends of a connection between nodes, over TLS on this host."""

import asyncio
import contextlib
import socket
import ssl

import pytest

from lambent.cluster.certificates import NodeCertificate, host_name, new_authority
from lambent.cluster.frames import Kind, encode
from lambent.cluster.node_port import NodePort
from lambent.cluster.peers import PeerAwayError, PeerLostError, Peers
from lambent.store.ports.nodes import Node

AUTHORITY = new_authority()


class Ends:
    """Node `server`, and one that calls it."""

    def __init__(self, tmp_path):
        self.tmp_path = tmp_path
        self.news = [b"first"]
        self.heard = asyncio.Queue()
        self.calls = asyncio.Queue()
        self.left = asyncio.Queue()
        self.port = NodePort(self.handle, lambda: self.report)

    def report(self):
        return self.news.pop() if self.news else b""

    async def handle(self, call):
        self.calls.put_nowait(call)
        if call.head == b"fail":
            raise ValueError("a bug")
        if call.head == b"wait":
            try:
                await asyncio.Event().wait()
            finally:
                self.left.put_nowait(call.body)
        call.part(b"part", call.body)
        return b"head", call.body[::-1]

    def certificate(self, name, authority=AUTHORITY):
        return NodeCertificate(authority, name, self.tmp_path / f"{name}.pem")

    async def open(self):
        self.number = await self.port.open("127.0.0.1", 0, self.certificate("server"))
        self.peers = Peers(
            self.certificate("client").client_context(),
            lambda id, report: self.heard.put_nowait(report),
            lambda id: self.heard.put_nowait(None),
        )
        self.reconcile()
        self.peer = self.peers.get("server")

    def reconcile(self, **settings):
        node = {"id": "server", "incarnation": "1", "address": f"127.0.0.1:{self.number}"} | settings
        self.peers.reconcile([Node(**node, zone="", roles=(), version="")])

    async def close(self):
        await self.peers.close()
        await self.port.close()


@pytest.fixture
async def ends(tmp_path):
    ends = Ends(tmp_path)
    await ends.open()
    yield ends
    await ends.close()


@pytest.fixture
async def connected(ends):
    assert await ends.heard.get() == b"", "who connects begins anew"
    assert await ends.heard.get() == b"first"
    return ends


async def test_calls_are_answered_with_what_came_before(connected):
    parts = []
    first = connected.peer.call(b"x", b"abc", lambda head, body: parts.append((head, body)))
    second = connected.peer.call(b"x", b"1" * 3_000_000)
    assert await second.answered() == (b"head", b"1" * 3_000_000)
    assert await first.answered() == (b"head", b"cba")
    assert parts == [(b"part", b"abc")]
    assert connected.peer.fresh


async def test_a_bug_of_the_other_is_its_loss(connected):
    with pytest.raises(PeerLostError):
        await connected.peer.call(b"fail", b"").answered()
    assert await connected.peer.call(b"x", b"1").answered() == (b"head", b"1"), "the connection stays"


async def test_who_leaves_is_not_waited_for(connected):
    waiting = asyncio.ensure_future(connected.peer.call(b"wait", b"who").answered())
    await connected.calls.get()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert await connected.left.get() == b"who"


async def test_a_caller_who_is_behind_holds_the_call_back(connected):
    exchange = connected.peer.call(b"wait", b"")
    call, told = await connected.calls.get(), asyncio.Queue()
    call.paused, call.resumed = lambda: told.put_nowait("paused"), lambda: told.put_nowait("resumed")
    exchange.pause()
    assert await told.get() == "paused"
    call.hold("link", True)
    exchange.resume()
    assert await connected.peer.call(b"x", b"").answered()  # what was sent before has been read
    assert told.empty(), "the connection is full, too"
    call.hold("link", False)
    assert await told.get() == "resumed"


async def test_a_node_that_is_gone_breaks_its_calls_and_is_connected_to_again(connected):
    exchange = connected.peer.call(b"wait", b"")
    await connected.calls.get()
    await connected.port.close()
    with pytest.raises(PeerLostError):
        await exchange.answered()
    with pytest.raises(PeerAwayError):
        connected.peer.call(b"x", b"")
    connected.port = NodePort(connected.handle, lambda: connected.report)
    connected.news = [b"again"]
    await connected.port.open("127.0.0.1", connected.number, connected.certificate("server"))
    assert await connected.heard.get() == b""
    assert await connected.heard.get() == b"again"


async def test_who_begins_another_life_is_another_peer(connected):
    connected.reconcile(incarnation="2")
    assert await connected.heard.get() is None
    assert connected.peers.get("server") is not connected.peer
    with pytest.raises(PeerAwayError):
        connected.peer.call(b"x", b"")


@pytest.mark.parametrize("stranger", ["nobody", "another cluster's"])
async def test_without_a_certificate_of_the_cluster_nothing_is_said(connected, stranger):
    if stranger == "nobody":
        context = ssl.create_default_context()
    else:
        context = connected.certificate("stranger", new_authority()).client_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def ask() -> bytes:
        plain = socket.create_connection(("127.0.0.1", connected.number), timeout=10)
        with contextlib.suppress(OSError), plain, context.wrap_socket(plain) as secure:
            secure.sendall(encode(Kind.CALL, 1, b"x"))
            return secure.recv(1)
        return b""

    # In TLS 1.3 who connects learns only later that its certificate was not taken.
    assert await asyncio.to_thread(ask) == b""
    assert await connected.peer.call(b"x", b"").answered()
    assert connected.calls.qsize() == 1, "only the call of the node that has a certificate"


async def test_a_node_at_anothers_address_is_not_taken_for_it(ends):
    certificate = ends.certificate("client")
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection(
            "127.0.0.1", ends.number, ssl=certificate.client_context(), server_hostname=host_name("another")
        )
