"""The server's side of the spawner: starts it, gives it orders, hears its events."""

import asyncio
import logging
import os
import socket
import sys
from asyncio import Future
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from lambent.sandbox import messages
from lambent.sandbox.line import Line
from lambent.sandbox.messages import Message
from lambent.sandbox.port import SandboxError
from lambent.sandbox.spawned_zygote import SpawnedZygote
from lambent.sandbox.user_namespace import IdMap, helper_commands

log = logging.getLogger(__name__)

_GONE = "the spawner has ended"
_SO_SNDBUFFORCE = 32
_ROOTS_MOST = 64
_ORDERS_BYTES_MAX = 16 << 20  # thousands of orders may wait while the spawner clones; none is refused


class SpawnerClient:
    """One spawner process, in a user namespace with `ids` where they are given. `on_gone(id, error)` is called when a
    sandbox's supervisor has ended (error None) or could not be cloned; `on_lost()` when the spawner itself has ended
    unasked; `on_cloned(id, pid)` when the supervisor of a sandbox that is to be watched is there."""

    def __init__(
        self,
        on_gone: Callable[[str, str | None], None],
        on_lost: Callable[[], None],
        ids: IdMap | None = None,
        on_cloned: Callable[[str, int], None] | None = None,
    ) -> None:
        self._on_gone = on_gone
        self._on_lost = on_lost
        self._on_cloned = on_cloned
        self._ids = ids
        self._control: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._opened: Future[None] | None = None
        self._roots: dict[str, Future[None]] = {}
        self._roots_used: Counter[str] = Counter()
        self._asked: deque[Future[int]] = deque()
        """For what is made on order; the spawner answers in order."""
        self._zygotes: dict[str, SpawnedZygote] = {}
        self._closing = False

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def open(self, directory: Path, cgroup: dict[str, object] | None) -> None:
        """Raises SandboxError."""
        loop = asyncio.get_running_loop()
        ours, theirs = messages.socket_pair()
        with theirs:
            number = theirs.fileno()
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-m", "lambent.sandbox.spawner", str(number)),
                pass_fds=(number,),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,  # who reads ours shall not wait for the spawner's end
                env={},
                cwd="/",
            )
        ours.setblocking(False)
        try:
            ours.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _ORDERS_BYTES_MAX)
        except PermissionError:  # as much as a user without privileges may have: hundreds of orders
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ORDERS_BYTES_MAX)
        self._control = ours
        self._opened = loop.create_future()
        ids = self._ids
        mapped = ids and {"helped": ids.helped, "uids": ids.uids, "gids": ids.gids}
        messages.send(ours, {"directory": str(directory), "cgroup": cgroup, "ids": mapped})
        loop.add_reader(ours.fileno(), self._hear)
        await self._opened

    @asynccontextmanager
    async def root(self, name: str, root: Message) -> AsyncIterator[None]:
        """The root is made, once for its name, and what is ordered within finds it. Raises SandboxError."""
        self._roots_used[name] += 1
        try:
            await asyncio.shield(self._make_root(name, root))
            yield
        finally:
            self._roots_used[name] -= 1
            if not self._roots_used[name]:
                del self._roots_used[name]

    def _make_root(self, name: str, root: Message) -> "Future[None]":
        made = self._roots.pop(name, None)
        if made is None:
            made = asyncio.get_running_loop().create_future()
            self._order({"order": "root", "name": name, "root": root})
        self._roots[name] = made  # behind those that were asked for longer ago
        self._drop_roots()
        return made

    def _drop_roots(self) -> None:
        """Every sandbox begins with a copy of all that the spawner has mounted: what is not asked for any more (the
        image of a function that was updated) goes. Sandboxes that are there keep theirs."""
        for name in list(self._roots)[: max(0, len(self._roots) - _ROOTS_MOST)]:
            if self._roots[name].done() and name not in self._roots_used:
                del self._roots[name]
                self._order({"order": "drop_root", "name": name})

    def create(self, spec: Message, control: int, launch: int, scratch: int, *files: int) -> None:
        self._order({"order": "create", "spec": spec}, (control, launch, scratch, *files))

    async def make_socket(self, sandbox_id: str) -> socket.socket:
        """Raises SandboxError, as do those below."""
        made = socket.socket(fileno=await self._make({"order": "socket", "id": sandbox_id}))
        made.setblocking(False)
        return made

    async def clone_tree(self, source: str) -> int:
        """A detached read-only mount of a directory; a descriptor."""
        return await self._make({"order": "tree", "source": source})

    async def make_tmpfs(self, mib: int) -> int:
        """A detached mount; a descriptor."""
        return await self._make({"order": "tmpfs", "mib": mib})

    def _make(self, order: Message) -> "Future[int]":
        self._order(order)
        made: Future[int] = asyncio.get_running_loop().create_future()
        self._asked.append(made)
        return made

    async def adopt(self, order: Message, pidfd: int, scratch: int) -> None:
        """See adoption.py: `pidfd` is of the copy's pid 1, `scratch` the mount for its /tmp. Raises SandboxError."""
        line = Line()
        try:
            self._order({"order": "adopt", **order}, (pidfd, scratch, line.far))
            line.hand_over()
            received = await line.receive()
        finally:
            line.close()
        if received is None or "error" in received[0]:
            raise SandboxError(f"fork: {received[0]['error'] if received else 'nobody answered'}")

    async def open_zygote(self, zygote_id: str, order: Message) -> SpawnedZygote:
        """Raises SandboxError."""
        zygote = SpawnedZygote(zygote_id, self._end_zygote)
        self._order({"order": "zygote", "id": zygote_id, **order})
        self._zygotes[zygote_id] = zygote
        try:
            await zygote.wait_ready()
        except asyncio.CancelledError:
            with suppress(SandboxError):
                self._end_zygote(zygote_id)
            raise
        return zygote

    def _end_zygote(self, zygote_id: str) -> None:
        self._order({"order": "end_zygote", "id": zygote_id})

    def kill(self, sandbox_id: str) -> None:
        self._order({"order": "kill", "id": sandbox_id})

    async def close(self) -> None:
        """Ends the spawner and with it every sandbox."""
        self._closing = True
        self._hang_up()
        if self._process is not None:
            await self._process.wait()

    def _order(self, order: Message, descriptors: tuple[int, ...] = ()) -> None:
        if self._control is None:
            raise SandboxError(_GONE)
        try:
            messages.send(self._control, order, descriptors)
        except messages.MessageTooLargeError as error:
            raise SandboxError(f"order the spawner: {error}") from error
        except OSError as error:
            raise SandboxError(f"order the spawner: {error.strerror}") from error

    def _hear(self) -> None:
        assert self._control is not None
        while True:
            try:
                received = messages.receive(self._control)
            except BlockingIOError:
                return
            if received is None:
                self._lost()
                return
            self._handle(*received)

    def _handle(self, event: Message, descriptors: list[int]) -> None:
        match event["event"]:
            case "opened":
                assert self._opened is not None
                _settle(self._opened, event["error"])
            case "root":
                root = self._roots[event["name"]]
                if event["error"] is not None:
                    del self._roots[event["name"]]  # so that the next sandbox tries again
                _settle(root, event["error"])
            case "made":
                self._take(event["error"], descriptors)
            case "cloned":
                assert self._on_cloned is not None
                self._on_cloned(event["id"], event["pid"])
            case "zygote":
                self._zygotes[event["id"]].is_ready(event["private_bytes"])
            case "zygote_gone":
                self._zygotes.pop(event["id"]).is_gone()
            case "unmapped":
                self._mapping = asyncio.get_running_loop().create_task(self._map())
            case "failed":
                self._on_gone(event["id"], event["error"])
            case "gone":
                self._on_gone(event["id"], None)
            case other:
                raise AssertionError(other)

    def _take(self, error: str | None, descriptors: list[int]) -> None:
        asked = self._asked.popleft()
        if error is not None:
            _settle(asked, error)
        elif asked.done():
            os.close(descriptors[0])  # who asked has left
        else:
            asked.set_result(descriptors[0])

    async def _map(self) -> None:
        """Gives the spawner's user namespace its ids, which takes helpers with privileges."""
        assert self._ids is not None
        assert self._process is not None
        assert self._opened is not None
        for command in helper_commands(self._ids, self._process.pid):
            helper = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
            )
            _, said = await helper.communicate()
            if helper.returncode != 0:
                _settle(self._opened, f"{' '.join(command)}: {said.decode(errors='replace').strip()}")
                return
        self._order({"order": "mapped"})

    def _lost(self) -> None:
        self._hang_up()
        waiting: list[Future[Any]] = [*self._roots.values(), *self._asked]
        self._asked.clear()
        if self._opened is not None:
            waiting.append(self._opened)
        for future in waiting:
            _settle(future, _GONE)
        for zygote in self._zygotes.values():
            zygote.is_gone()
        self._zygotes.clear()
        if not self._closing:
            log.error("the spawner (pid %s) has ended: its sandboxes with it", self.pid)
            self._on_lost()

    def _hang_up(self) -> None:
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
            self._control = None


def _settle(future: "Future[Any]", error: str | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(SandboxError(error))
