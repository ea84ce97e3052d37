"""One sandbox of the `process` backend: a process group, and a directory for its temporary files."""

import asyncio
import contextlib
import errno
import fcntl
import os
import shutil
import signal
import socket
import threading
from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lambent.sandbox.places import Places
from lambent.sandbox.port import Bind, Exit, Process, SandboxError, StartError
from lambent.sandbox.resident_memory import MemoryWatch, Watched

_ENDED = "the sandbox has ended"
_ABOVE = 64
"""Descriptors are put above the numbers that are given away, so that none is overwritten before it is given."""
_MIB = 1 << 20


class ProcessSandbox:
    def __init__(
        self,
        sandbox_id: str,
        directory: Path,
        places: Places,
        listeners: Sequence[socket.socket],
        memory: MemoryWatch,
        forget: Callable[[str], None],
    ) -> None:
        self.id = sandbox_id
        self.listeners = listeners
        self.exited: Future[Exit] = asyncio.get_running_loop().create_future()
        self._directory = directory
        self._places = places
        self._memory = memory
        self._forget = forget
        self._limit_bytes: int | None = None
        self._watched: Watched | None = None
        self._pid: int | None = None
        self._beside: list[int] = []
        self._destroyed = False

    def translate(self, variables: Mapping[str, str]) -> dict[str, str]:
        translated = self._places.in_values(variables)
        translated.setdefault("TMPDIR", str(self._directory / "tmp"))
        layers = self._places.in_text("/opt/python")
        # Our bootstrap looks into /opt itself. Not before there are layers: Python remembers directories as missing.
        if "PYTHONPATH" in translated and Path(layers).is_dir():
            translated["PYTHONPATH"] += f":{layers}"
        return translated

    async def start(self, process: Process, beside: Sequence[Process] = ()) -> None:
        if self._pid is not None:
            raise SandboxError("start: a sandbox is started once")
        if self._destroyed:
            raise SandboxError(_ENDED)
        for one in beside:
            self._beside.append(self._spawn(one))
        self._pid = self._spawn(process)
        self._watch_end(self._pid)
        self._watched = self._memory.watch(self._pid, self._limit_bytes, self._out_of_memory)

    def _spawn(self, process: Process) -> int:
        argv = [self._places.in_text(argument) for argument in process.argv]
        if not os.access(argv[0], os.X_OK) or Path(argv[0]).is_dir():
            number = errno.EACCES if Path(argv[0]).exists() else errno.ENOENT
            raise StartError(f"execute {process.argv[0]}: {os.strerror(number)}", number)
        directory = self._places.in_text(process.directory)
        raised = {n: fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE) for n, fd in process.files.items()}
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        actions = [
            (os.POSIX_SPAWN_DUP2, raised.get(number, null), number) for number in sorted({0, 1, 2, *raised})
        ]
        try:
            return os.posix_spawn(
                "/bin/sh",
                ["sh", "-c", 'cd -- "$1" && shift && exec "$@"', "sh", directory, *argv],
                self.translate(process.variables),
                file_actions=actions,
                setpgroup=self._beside[0] if self._beside else 0,
                setsigdef=[n for n in signal.valid_signals() if signal.getsignal(n) == signal.SIG_IGN],
            )
        except OSError as error:
            raise StartError(f"execute {process.argv[0]}: {error.strerror}", error.errno or 0) from error
        finally:
            for descriptor in (null, *raised.values()):
                os.close(descriptor)

    @property
    def _group(self) -> int:
        """The process group of all that was started here is named by the first."""
        first = self._beside[0] if self._beside else self._pid
        assert first is not None
        return first

    def _watch_end(self, pid: int) -> None:
        loop = asyncio.get_running_loop()

        if hasattr(os, "pidfd_open"):
            pidfd = os.pidfd_open(pid)

            def reap() -> None:
                loop.remove_reader(pidfd)
                os.close(pidfd)
                self._has_ended(os.waitpid(pid, 0)[1])

            loop.add_reader(pidfd, reap)
            return

        def wait() -> None:
            status = os.waitpid(pid, 0)[1]
            loop.call_soon_threadsafe(self._has_ended, status)

        threading.Thread(target=wait, name=f"sandbox {self.id}", daemon=True).start()

    def _has_ended(self, status: int) -> None:
        out_of_memory = False
        if self._watched is not None:
            out_of_memory = self._watched.exceeded
            self._memory.forget(self._watched)
        if not self._beside:
            self._signal(signal.SIGKILL)
        code = os.waitstatus_to_exitcode(status)
        if self.exited.done():
            return
        if self._destroyed:
            self.exited.set_result(Exit())
        elif code < 0:
            self.exited.set_result(Exit(signal=-code, out_of_memory=out_of_memory))
        else:
            self.exited.set_result(Exit(code=code, out_of_memory=out_of_memory))

    def _reap_beside(self) -> None:
        """They were killed, and so do not keep us waiting."""
        while self._beside:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._beside.pop(), 0)

    def _out_of_memory(self) -> None:
        self._signal(signal.SIGKILL)

    async def attach(self, binds: Sequence[Bind]) -> None:
        for bind in binds:
            self._link(bind)

    def _link(self, bind: Bind) -> None:
        if self._destroyed:
            raise SandboxError(_ENDED)
        place = Path(self._places.in_text(bind.target))
        if not place.is_relative_to(self._directory) or not bind.source.exists():
            raise SandboxError(f"attach {bind.source} at {bind.target}: no such directory")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(bind.source)

    async def resize_tmp(self, mib: int) -> None:
        """A directory has no size."""

    async def seal(self, binds: Sequence[Bind] = ()) -> None:
        """There was no privilege to give up."""
        await self.attach(binds)

    async def fork(self, files: Mapping[int, int]) -> "ProcessSandbox":
        raise SandboxError(
            "fork: copies of a process take root: start the server with --isolation namespaces"
        )

    def limit_memory(self, mib: int) -> None:
        self._limit_bytes = mib * _MIB
        if self._watched is not None:
            self._watched.limit_bytes = self._limit_bytes

    def limit_cpu(self, cpus: float | None) -> None:
        """Nothing can be limited."""

    def memory_peak_bytes(self) -> int:
        return 0 if self._watched is None else self._watched.peak_bytes()

    def freeze(self) -> None:
        if self._watched is not None:
            self._watched.frozen = True
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)
        if self._watched is not None:
            self._watched.frozen = False

    async def make_socket(self) -> socket.socket:
        if self.exited.done():
            raise SandboxError(_ENDED)
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setblocking(False)
        return made

    async def destroy(self) -> None:
        self._destroyed = True
        if not self.exited.done():
            self._signal(signal.SIGKILL)
            if self._pid is None:
                self._reap_beside()
                self.exited.set_result(Exit())
            await asyncio.shield(self.exited)
        if self._beside:  # they outlive the process
            self._signal(signal.SIGKILL)
            self._reap_beside()
        self._forget(self.id)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _signal(self, number: int) -> None:
        if self._pid is not None or self._beside:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of zombies
                os.killpg(self._group, number)
