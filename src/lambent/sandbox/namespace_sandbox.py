"""One sandbox of the `namespaces` backend, seen from the server."""

import asyncio
import os
import signal
import socket
from asyncio import Future
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lambent.sandbox.cgroup import Cgroup
from lambent.sandbox.line import Line
from lambent.sandbox.messages import Message
from lambent.sandbox.port import FORK_DESCRIPTOR, Bind, Exit, Process, SandboxError, StartError
from lambent.sandbox.resident_memory import MemoryWatch, Watched
from lambent.sandbox.scratch import Scratch

_MIB = 1 << 20
_ENDED = "the sandbox has ended"


def _order_of(process: Process) -> Message:
    return {
        "argv": process.argv,
        "variables": dict(process.variables),
        "directory": process.directory,
        "files": list(process.files),
    }


MakeSocket = Callable[[str], Awaitable[socket.socket]]
Destroy = Callable[["NamespaceSandbox"], Coroutine[Any, Any, None]]
Fork = Callable[["NamespaceSandbox", Mapping[int, int]], Coroutine[Any, Any, "NamespaceSandbox"]]


class NamespaceSandbox:
    """Talks with its supervisor over `control` and with the process to be over `launch`, one request at a time each."""

    def __init__(
        self,
        sandbox_id: str,
        uid: int,
        scratch: Scratch,
        *,
        make_scratch: Callable[[int], Awaitable[Scratch]],
        clone_tree: Callable[[Path], Awaitable[int]],
        destroy: "Destroy",
        make_socket: MakeSocket,
        has_cgroup: bool,
        fork: "Fork | None",
    ) -> None:
        """`fork` where the process may be copied."""
        self.id = sandbox_id
        self.uid = uid
        self.scratches_made = [scratch]
        self.cgroup: Cgroup | None = None
        self.listeners: Sequence[socket.socket] = ()
        loop = asyncio.get_running_loop()
        self.exited: Future[Exit] = loop.create_future()
        self.supervisor_gone: Future[None] = loop.create_future()
        self._make_scratch = make_scratch
        self._clone_tree = clone_tree
        self._destroy = destroy
        self._make_socket = make_socket
        self._destroying: asyncio.Task[None] | None = None
        self._status: int | None = None
        self._error: str | None = None
        self._memory_peak_bytes = 0
        self.private_bytes_before = 0
        """What the process had when it was copied, which its control group does not count."""
        self._has_cgroup = has_cgroup
        self._fork = fork
        self.forks = Line() if fork is not None else None
        self._watching: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._memory: MemoryWatch | None = None
        self._watched: Watched | None = None
        self._limit_bytes: int | None = None
        self._sealed = False
        self._started = False
        self._has_companions = False
        self._supervisor_turn = asyncio.Lock()
        self.control = Line()
        self.launch = Line()

    async def wait_ready(self, *, goes_on: bool) -> None:
        """Returns when supervisor and process are, with the listeners. A process that `goes_on` has had its order from
        the beginning, and has been started then. Raises SandboxError."""
        answer, descriptors = await self._answer(self.control)
        self.listeners = tuple(socket.socket(fileno=descriptor) for descriptor in descriptors)
        for listener in self.listeners:
            listener.setblocking(False)
        assert "ready" in answer
        if not goes_on:
            await self._answer(self.launch)
            return
        self._started = True
        await self._wait_started()

    def translate(self, variables: Mapping[str, str]) -> dict[str, str]:
        return dict(variables)

    async def start(self, process: Process, beside: Sequence[Process] = ()) -> None:
        if self._started:
            raise SandboxError("start: a sandbox is started once")
        self._started = True
        if self.forks is not None:
            process = replace(process, files={**process.files, FORK_DESCRIPTOR: self.forks.far})
        # In one message: an order that is not read any more would cost us the answer to the one before it.
        orders = [_order_of(one) for one in (*beside, process)]
        files = [descriptor for one in (*beside, process) for descriptor in one.files.values()]
        self.launch.send({"orders": orders}, files)
        await self._wait_started()
        self._has_companions = bool(beside)
        self._watch_process()

    async def _wait_started(self) -> None:
        """Silence is success: the exec closes the other end. What ends before it is told by the supervisor, too."""
        received = await self.launch.receive()
        self.launch.close()
        if self.forks is not None:
            self.forks.hand_over()
        if received is not None:
            raise StartError(received[0]["error"], received[0]["errno"])

    async def attach(self, binds: Sequence[Bind]) -> None:
        await self._order_binds({"order": "attach"}, binds)

    async def resize_tmp(self, mib: int) -> None:
        scratch = await self._make_scratch(mib)
        self.scratches_made.append(scratch)
        try:
            await self._order({"order": "replace_tmp"}, [scratch.mount])
        finally:
            scratch.release()

    async def seal(self, binds: Sequence[Bind] = ()) -> None:
        if self._sealed and not binds:
            return
        await self._order_binds({"order": "seal", "memory_bytes": self._limit_bytes}, binds)
        self._sealed = True
        self._watch_process()

    def _watch_process(self) -> None:
        """Where others outlive it; else the end of all is soon enough. Nothing else comes over the line then."""
        if self._sealed and self._has_companions and self._waiting is None:
            self._waiting = asyncio.get_running_loop().create_task(self._wait_process())

    async def _wait_process(self) -> None:
        received = await self.control.receive()
        if received is not None:
            self._note(received[0])
            if not self.exited.done():
                self.exited.set_result(self._exit())

    def watch_memory(self, memory: MemoryWatch, supervisor_pid: int) -> None:
        """Where no control group counts it: what the supervisor's descendants have is looked at."""
        self._memory = memory
        self._watched = memory.watch(
            supervisor_pid, self._limit_bytes, self._kill_process, only_descendants=True
        )

    def _kill_process(self) -> None:
        assert self._watched is not None
        for pid in self._watched.children()[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def limit_memory(self, mib: int) -> None:
        self._limit_bytes = mib * _MIB
        if self._watched is not None:
            self._watched.limit_bytes = self._limit_bytes
        try:
            if (group := self._group()) is not None:
                group.limit_memory(self._limit_bytes - self.private_bytes_before)
        except OSError as error:
            raise SandboxError(f"limit the memory to {mib} MiB: {error.strerror}") from error

    def limit_cpu(self, cpus: float | None) -> None:
        try:
            if (group := self._group()) is not None:
                group.limit_cpu(cpus)
        except OSError as error:
            raise SandboxError(f"limit the processor to {cpus}: {error.strerror}") from error

    def memory_peak_bytes(self) -> int:
        if self.cgroup is not None:
            with suppress(OSError):  # the group is gone already where the spawner died and cleaned up
                self._memory_peak_bytes = self.cgroup.memory_peak_bytes() + self.private_bytes_before
        elif self._watched is not None:
            self._memory_peak_bytes = self._watched.peak_bytes()
        return self._memory_peak_bytes

    def freeze(self) -> None:
        if (group := self._group()) is None:
            self._signal("freeze", frozen=True)
            return
        try:
            group.freeze()
        except OSError as error:
            raise SandboxError(f"freeze: {error.strerror}") from error

    def thaw(self) -> None:
        if (group := self._group()) is None:
            self._signal("thaw", frozen=False)
            return
        try:
            group.thaw()
        except OSError as error:
            raise SandboxError(f"thaw: {error.strerror}") from error

    async def make_socket(self) -> socket.socket:
        if self.supervisor_gone.done():
            raise SandboxError(_ENDED)
        return await self._make_socket(self.id)

    async def fork(self, files: Mapping[int, int]) -> "NamespaceSandbox":
        if self._fork is None or self.supervisor_gone.done():
            raise SandboxError("fork: this sandbox has no process that can be copied")
        return await self._fork(self, files)

    async def wait_forked(self, adopt: Callable[[int], Awaitable[None]]) -> None:
        """Of a copy, which tells of itself over `control`: returns when it runs. `adopt` is given a pidfd of its pid 1.
        Raises SandboxError."""
        self._started = self._sealed = True
        answer, descriptors = await self._answer_of_copy()
        try:
            await adopt(descriptors[0])
        finally:
            os.close(descriptors[0])
        assert "forked" in answer
        self.control.send({"go": True})
        self._watching = asyncio.get_running_loop().create_task(self._watch_copy())

    @property
    def copied(self) -> bool:
        """Whether there is a copy whose end will be noticed."""
        return self._watching is not None

    async def _answer_of_copy(self) -> tuple[Message, list[int]]:
        received = await self.control.receive()
        if received is None or not received[1]:
            raise SandboxError("fork: the process was not copied")
        return received

    async def _watch_copy(self) -> None:
        received = await self.control.receive()
        if received is not None:
            self._note(received[0])
            await self.control.receive()
        self.supervisor_ended(None)

    async def destroy(self) -> None:
        # Shared and shielded: whoever asks, and whoever of them is cancelled, it is done once and to the end.
        if self._destroying is None:
            self._destroying = asyncio.get_running_loop().create_task(self._destroy(self))
        await asyncio.shield(self._destroying)

    def supervisor_ended(self, error: str | None) -> None:
        """Called when pid 1 has been reaped, and so nothing inside lives any more."""
        self._error = self._error or error
        while (received := self.control.take()) is not None:
            self._note(received[0])
        self.control.close()
        self.launch.close()
        if self.forks is not None:
            self.forks.close()
        if self._memory is not None and self._watched is not None:
            self._memory.forget(self._watched)
        if not self.supervisor_gone.done():
            self.supervisor_gone.set_result(None)
        if not self.exited.done():
            self.exited.set_result(self._exit())

    def _signal(self, order: str, *, frozen: bool) -> None:
        if self._watched is not None:
            self._watched.frozen = frozen
        self.control.send({"order": order})

    def release_cgroup(self) -> None:
        """Keeps the last figure of what is removed with the cgroup."""
        if self.cgroup is not None:
            self.memory_peak_bytes()
            self.cgroup.close()
            self.cgroup = None

    def _exit(self) -> Exit:
        out_of_memory = self._watched is not None and self._watched.exceeded
        if self.cgroup is not None:
            with suppress(OSError):  # as above
                out_of_memory = self.cgroup.out_of_memory_kills() > 0
        if self._status is None:
            return Exit(out_of_memory=out_of_memory)
        code = os.waitstatus_to_exitcode(self._status)
        if code < 0:
            return Exit(signal=-code, out_of_memory=out_of_memory)
        return Exit(code=code, out_of_memory=out_of_memory)

    async def _order_binds(self, order: Message, binds: Sequence[Bind]) -> None:
        """With detached mounts of what is bound."""
        descriptors: list[int] = []
        try:
            for bind in binds:
                try:
                    descriptors.append(await self._clone_tree(bind.source))
                except OSError as error:
                    raise SandboxError(f"attach {bind.source}: {error.strerror}") from error
            await self._order({**order, "targets": [bind.target for bind in binds]}, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    async def _order(self, order: Message, descriptors: Sequence[int] = ()) -> None:
        async with self._supervisor_turn:
            if self._sealed:
                raise SandboxError(f"{order['order']}: the sandbox is sealed")
            self.control.send(order, descriptors)
            answer, _ = await self._answer(self.control)
            if not answer.get("done"):
                raise SandboxError(self._error or _ENDED)

    async def _answer(self, line: Line) -> tuple[Message, list[int]]:
        """Raises SandboxError where the answer is an error, or there will be none."""
        received = await line.receive()
        if received is None:
            await self.supervisor_gone
            raise SandboxError(self._error or _ENDED)
        self._note(received[0])
        if "error" in received[0]:
            raise SandboxError(received[0]["error"])
        return received

    def _note(self, message: Message) -> None:
        if "exit" in message:
            self._status = message["exit"]
        if "error" in message and "done" not in message:
            self._error = message["error"]

    def _group(self) -> Cgroup | None:
        """None where there are no control groups. Raises SandboxError where the sandbox has ended."""
        if self.supervisor_gone.done() or (self.cgroup is None and self._has_cgroup):
            raise SandboxError(_ENDED)
        return self.cgroup
