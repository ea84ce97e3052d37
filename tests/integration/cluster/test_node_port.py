"""Two ends of a connection between nodes, over TLS on this host."""

import asyncio
import contextlib
import socket
import ssl

import pytest
from cut_network import CutNetwork

from lambent.cluster.certificates import NodeCertificate, host_name, new_authority
from lambent.cluster.frames import Kind, encode
from lambent.cluster.link import QUIET_LOOKS
from lambent.cluster.node_port import NodePort
from lambent.cluster.peers import PeerAwayError, PeerLostError, Peers
from lambent.store.ports.nodes import Node

AUTHORITY = new_authority()
SOON_SECONDS = 20.0
NEVER_SECONDS = 3600.0


class Ends:
    """Node `server`, and one that calls it. They look for each other's words every `report_seconds`."""

    def __init__(self, tmp_path, report_seconds):
        self.tmp_path = tmp_path
        self.report_seconds = report_seconds
        self.news = [b"first"]
        self.heard = asyncio.Queue()
        self.calls = asyncio.Queue()
        self.left = asyncio.Queue()
        self.port = NodePort(self.handle, lambda: self.report, report_seconds=report_seconds)

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
            report_seconds=self.report_seconds,
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
    ends = Ends(tmp_path, NEVER_SECONDS)
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
    exchange = connected.peer.call(b"wait", b"of before")
    await connected.calls.get()
    connected.reconcile(incarnation="2")
    assert await connected.heard.get() is None
    assert connected.peers.get("server") is not connected.peer
    with pytest.raises(PeerAwayError):
        connected.peer.call(b"x", b"")
    with pytest.raises(PeerLostError):
        await exchange.answered()
    async with asyncio.timeout(SOON_SECONDS):
        assert await connected.left.get() == b"of before", "its connection is closed, too"
    assert await connected.heard.get() == b""


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


@pytest.fixture
async def apart(tmp_path):
    """With a network in between."""
    ends = Ends(tmp_path, 0.02)
    await ends.open()
    network = CutNetwork(("127.0.0.1", ends.number))
    ends.reconcile(address=f"127.0.0.1:{network.port}")
    assert await ends.heard.get() is None
    assert await ends.heard.get() == b""
    ends.peer = ends.peers.get("server")
    yield ends, network
    network.close()
    await ends.close()


@pytest.mark.parametrize("directions", [(), ("there",), ("back",)], ids=["both", "there", "back"])
async def test_nobody_waits_for_a_node_of_which_nothing_arrives(apart, directions):
    ends, network = apart
    exchange = ends.peer.call(b"wait", b"who")
    await ends.calls.get()
    network.hold(*directions)
    lost = ends.peer.call(b"x", b"perhaps it arrives")
    async with asyncio.timeout(SOON_SECONDS):
        for waiting in (exchange, lost):
            with pytest.raises(PeerLostError):
                await waiting.answered()
        network.mend()
        assert await ends.left.get() == b"who", "who runs it has heard that nobody waits"
        while await ends.heard.get() != b"":  # until the connection begins anew
            pass
        assert await ends.peer.call(b"x", b"12").answered() == (b"head", b"21")


async def test_who_hears_nothing_says_nothing(tmp_path):
    """So that he is not called in vain while only what he says arrives."""
    ends = Ends(tmp_path, NEVER_SECONDS)
    ends.report = lambda: b"here"
    ends.port = NodePort(ends.handle, lambda: ends.report, report_seconds=0.01)
    await ends.open()
    try:
        said = []
        while said.count(b"") < 2:  # after many looks without a word the connection is given up
            said.append(await ends.heard.get())
        assert 0 < said.count(b"here") <= 2 * QUIET_LOOKS
    finally:
        await ends.close()


async def test_a_connection_that_was_given_up_takes_no_other_with_it(connected):
    first = connected.peer._link
    connected.peer._give_up()
    assert await connected.heard.get() == b""
    connected.peer.lost(first)
    assert connected.peer.connected
    assert await connected.peer.call(b"x", b"12").answered() == (b"head", b"21")
