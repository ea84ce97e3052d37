"""The other nodes, as one that calls them: one connection to each that can be called, made anew when it breaks.

A call that was sent on a connection which then broke may have been run; what was not sent was not. The two are told
apart: PeerLostError, PeerAwayError.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial

from lambent.base.tasks import Tasks
from lambent.cluster.certificates import host_name
from lambent.cluster.frames import Frame, Kind
from lambent.cluster.link import SILENT_LOOKS, Link
from lambent.cluster.node_port import REPORT_SECONDS, Answer
from lambent.store.ports.nodes import Node

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 2.0
_FRESH_SECONDS = 1.0
_REST_FIRST_SECONDS = 0.25
_REST_MOST_SECONDS = 2.0


class PeerAwayError(Exception):
    """There is no connection to the node: nothing was sent."""


class PeerLostError(Exception):
    """The node is gone, or cannot answer: what was asked of it may have been done."""


Part = Callable[[bytes, bytes], None]
"""Takes the head and the body of what comes before an answer."""


class Outgoing:
    """One call under way."""

    def __init__(self, peer: "Peer", number: int, part: Part) -> None:
        self._peer = peer
        self._number = number
        self.part = part
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def pause(self) -> None:
        self._peer.send(Kind.PAUSE, self._number)

    def resume(self) -> None:
        self._peer.send(Kind.RESUME, self._number)

    async def answered(self) -> Answer:
        """Head and body. Raises PeerLostError. Who is cancelled here has left: the other node is told so."""
        try:
            return await self.answer
        except asyncio.CancelledError:
            self._peer.send(Kind.LEAVE, self._number)
            raise
        finally:
            self._peer.ended(self._number)


class Peer:
    """Another node. `heard` is given its reports, and an empty one when it begins anew."""

    def __init__(
        self,
        node: Node,
        heard: Callable[[bytes], None],
        context: ssl.SSLContext,
        report_seconds: float = REPORT_SECONDS,
        silent_looks: int = SILENT_LOOKS,
    ) -> None:
        self.node = node
        self._heard = heard
        self._context = context
        self._report_seconds = report_seconds
        self._silent_looks = silent_looks
        self._link: Link | None = None
        self._closed = False
        self.refuses = False
        """Whether nobody listened at its address when it was tried last."""
        self._calls: dict[int, Outgoing] = {}
        self._last = 0
        self._broken = asyncio.Event()

    @property
    def connected(self) -> bool:
        return self._link is not None

    @property
    def fresh(self) -> bool:
        """Whether it is there, and has said something just now."""
        link = self._link
        return link is not None and asyncio.get_running_loop().time() - link.heard_at < _FRESH_SECONDS

    def call(self, head: bytes, body: bytes, part: Part = lambda head, body: None) -> Outgoing:
        """Raises PeerAwayError."""
        if self._link is None:
            raise PeerAwayError(self.node.id)
        self._last = number = (self._last + 1) % 2**32
        outgoing = self._calls[number] = Outgoing(self, number, part)
        self._link.send(Kind.CALL, number, head, body)
        return outgoing

    def send(self, kind: Kind, call: int = 0) -> None:
        if self._link is not None:
            self._link.send(kind, call)

    def ended(self, number: int) -> None:
        self._calls.pop(number, None)

    # Being connected

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Connects, and connects again, until cancelled. Who cannot be reached is asked less and less often."""
        rest = _REST_FIRST_SECONDS
        try:
            while True:
                try:
                    await self._connect()
                except (OSError, TimeoutError, ssl.SSLError) as error:
                    log.debug("node %s cannot be reached: %s", self.node.id, error)
                    self.refuses = isinstance(error, ConnectionRefusedError)
                    self._give_up()
                    await sleep(rest)
                    rest = min(2 * rest, _REST_MOST_SECONDS)
                    continue
                rest = _REST_FIRST_SECONDS
                self.refuses = False
                await self._watch()
                await sleep(rest)
        finally:
            self.close()

    def close(self) -> None:
        """For good: it is called no more, and not heard."""
        self._closed = True
        self._give_up()

    async def _connect(self) -> None:
        """Raises OSError, TimeoutError."""
        loop = asyncio.get_running_loop()
        host, _, port = self.node.address.rpartition(":")
        self._broken.clear()
        async with asyncio.timeout(_CONNECT_SECONDS):
            await loop.create_connection(
                lambda: Link(self, loop.time, self._silent_looks),
                host.strip("[]"),
                int(port),
                ssl=self._context,
                server_hostname=host_name(self.node.id),
            )
        if self._link is None:
            raise ConnectionError("it speaks another version of the protocol, or has closed at once")

    async def _watch(self) -> None:
        """Until the connection is lost, or the node has been silent for too long."""
        while (link := self._link) is not None:
            try:
                async with asyncio.timeout(self._report_seconds):
                    await self._broken.wait()
            except TimeoutError:
                if link.is_silent():
                    log.warning("node %s does not answer", self.node.id)
                    self._give_up()
                else:
                    link.send(Kind.PING)

    def _give_up(self) -> None:
        """The connection, if there is one. What was asked over it may have been done."""
        link, self._link = self._link, None
        if link is not None:
            link.close()
        self._broken.set()
        calls, self._calls = self._calls, {}
        for outgoing in calls.values():
            if not outgoing.answer.done():
                outgoing.answer.set_exception(PeerLostError(self.node.id))

    # cluster.link.LinkUser

    def opened(self, link: Link) -> None:
        if self._closed:
            link.close()
            return
        self._link = link
        self._heard(b"")

    def received(self, frame: Frame) -> None:
        if frame.kind == Kind.REPORT:
            self._heard(frame.head)
            return
        outgoing = self._calls.get(frame.call)
        if outgoing is None or outgoing.answer.done():  # a ping, or of a call that was left
            return
        if frame.kind == Kind.PART:
            outgoing.part(frame.head, frame.body)
        elif frame.kind == Kind.ANSWER:
            outgoing.answer.set_result((frame.head, frame.body))
        elif frame.kind == Kind.FAILED:
            outgoing.answer.set_exception(PeerLostError(self.node.id))

    def full(self, full: bool) -> None:
        """Calls are small, or wait in the connection's buffer."""

    def lost(self, link: Link) -> None:
        """Of one that was given up before nothing is left to be lost."""
        if link is self._link:
            self._give_up()


class Peers:
    """Those among the others that can be called. `heard` is given a node's id with its reports, `gone` the id of one
    that is no member any more."""

    def __init__(
        self,
        context: ssl.SSLContext,
        heard: Callable[[str, bytes], None],
        gone: Callable[[str], None],
        *,
        report_seconds: float = REPORT_SECONDS,
        silent_looks: int = SILENT_LOOKS,
    ) -> None:
        self._context = context
        self._report_seconds = report_seconds
        self._silent_looks = silent_looks
        self._heard = heard
        self._gone = gone
        self._peers: dict[str, tuple[Peer, asyncio.Task[None]]] = {}
        self._tasks = Tasks("connections to other nodes")

    def get(self, node_id: str) -> Peer | None:
        found = self._peers.get(node_id)
        return found[0] if found is not None else None

    def __iter__(self) -> Iterator[Peer]:
        return iter([peer for peer, _ in self._peers.values()])

    def reconcile(self, nodes: Sequence[Node]) -> None:
        """These are the others. A node that began another life, or has moved, is another peer."""
        wanted = {node.id: node for node in nodes if node.address}
        for id, (peer, task) in list(self._peers.items()):
            if wanted.get(id) != peer.node:
                task.cancel()
                peer.close()
                del self._peers[id]
                self._gone(id)
        for id, node in wanted.items():
            if id not in self._peers:
                peer = Peer(
                    node, partial(self._heard, id), self._context, self._report_seconds, self._silent_looks
                )
                self._peers[id] = peer, self._tasks.start(peer.run(), f"node {id}")

    async def close(self) -> None:
        await self._tasks.close()
