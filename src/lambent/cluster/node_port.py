"""Where a node is called by others: it runs what they ask for, and tells them what it has to do."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from lambent.base.tasks import Tasks
from lambent.cluster.certificates import NodeCertificate
from lambent.cluster.frames import Frame, Kind
from lambent.cluster.link import SILENT_LOOKS, Link

log = logging.getLogger(__name__)

REPORT_SECONDS = 0.25
_BACKLOG = 128


class Incoming:
    """One call of another node. `part` sends what comes before the answer; where that is more than the other reads,
    `paused` is called, and `resumed` when it may go on."""

    def __init__(self, number: int, head: bytes, body: bytes, link: Link) -> None:
        self.head = head
        self.body = body
        self.paused: Callable[[], None] = lambda: None
        self.resumed: Callable[[], None] = lambda: None
        self._number = number
        self._link = link
        self._reasons: set[str] = set()

    def part(self, head: bytes, body: bytes = b"") -> None:
        self._link.send(Kind.PART, self._number, head, body)

    @property
    def held(self) -> bool:
        """Whether more should not be sent now."""
        return bool(self._reasons)

    def hold(self, reason: str, held: bool) -> None:
        """Two may want it held back: the caller, and the connection."""
        before = bool(self._reasons)
        (self._reasons.add if held else self._reasons.discard)(reason)
        if bool(self._reasons) != before:
            (self.resumed if before else self.paused)()


Answer = tuple[bytes, bytes]
Handler = Callable[[Incoming], Awaitable[Answer]]
"""Returns the head and the body of the answer. Cancelled when the caller leaves, or is lost."""
Report = Callable[[], bytes]
"""What has changed since it was called last; empty where nothing has."""


class NodePort:
    """`new_report` begins a report for one who has heard nothing yet."""

    def __init__(
        self,
        handler: Handler,
        new_report: Callable[[], Report],
        *,
        report_seconds: float = REPORT_SECONDS,
        silent_looks: int = SILENT_LOOKS,
    ) -> None:
        self.handler = handler
        self.new_report = new_report
        self._report_seconds = report_seconds
        self._silent_looks = silent_looks
        self._callers: set[_Caller] = set()
        self._server: asyncio.Server | None = None
        self._tasks = Tasks("node port")

    async def open(self, host: str, port: int, certificate: NodeCertificate) -> int:
        """Returns the port. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Link(_Caller(self), loop.time, self._silent_looks),
            host,
            port,
            ssl=certificate.server_context(),
            backlog=_BACKLOG,
        )
        self._tasks.start(self._report(), "report")
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self, drain_seconds: float = 0.0) -> None:
        """Gives what runs for others so long to end, then cancels it. Idempotent."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for caller in list(self._callers):
            await caller.close(drain_seconds)
        await self._tasks.close()

    def joined(self, caller: "_Caller") -> None:
        self._callers.add(caller)

    def left(self, caller: "_Caller") -> None:
        self._callers.discard(caller)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(self._report_seconds)
            for caller in list(self._callers):
                caller.report()


class _Caller:
    """One node that calls. A cluster.link.LinkUser."""

    def __init__(self, port: NodePort) -> None:
        self._port = port
        self._link: Link
        self._running: dict[int, tuple[Incoming, asyncio.Task[None]]] = {}
        self._tasks = Tasks("calls of another node")
        self._report = port.new_report()

    def opened(self, link: Link) -> None:
        self._link = link
        self._port.joined(self)
        self.report()

    def report(self) -> None:
        if self._link.is_silent():
            self._link.close()
            return
        if self._link.is_quiet:
            # Where only one direction is broken, the caller would hear us, and go on calling in vain.
            return
        changed = self._report()
        self._link.send(Kind.REPORT if changed else Kind.PING, head=changed)

    def received(self, frame: Frame) -> None:
        if frame.kind == Kind.CALL:
            incoming = Incoming(frame.call, frame.head, frame.body, self._link)
            task = self._tasks.start(self._run(frame.call, incoming), f"call {frame.call}")
            self._running[frame.call] = incoming, task
            return
        incoming_and_task = self._running.get(frame.call)
        if incoming_and_task is None:  # a ping, or of a call that has just ended
            return
        incoming, task = incoming_and_task
        if frame.kind == Kind.LEAVE:
            task.cancel()
        elif frame.kind in (Kind.PAUSE, Kind.RESUME):
            incoming.hold("caller", frame.kind == Kind.PAUSE)

    def full(self, full: bool) -> None:
        for incoming, _ in list(self._running.values()):
            incoming.hold("link", full)

    def lost(self, link: Link) -> None:
        self._port.left(self)
        for _, task in list(self._running.values()):
            task.cancel()

    async def close(self, drain_seconds: float) -> None:
        await self._tasks.finish(drain_seconds)
        self._link.end()

    async def _run(self, number: int, incoming: Incoming) -> None:
        answer = partial(self._link.send, Kind.FAILED, number)
        try:
            head, body = await self._port.handler(incoming)
            answer = partial(self._link.send, Kind.ANSWER, number, head, body)
        except Exception:
            log.exception("a call of another node failed")
        finally:
            del self._running[number]
        answer()
