"""One blank environment: a sandbox, and what the server holds of it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

from lambent.environments.channel import Channel
from lambent.environments.extensions import Extensions
from lambent.environments.link import Link
from lambent.environments.output import Output
from lambent.http.message import Request, Response
from lambent.runtimes.install import RuntimeInstall
from lambent.sandbox.port import Process, Sandbox

Handler = Callable[[Request], Awaitable[Response]]


class Listening(Protocol):
    async def close(self) -> None: ...


Serve = Callable[[socket.socket, Handler], Awaitable[Listening]]
"""Serves HTTP on a listening socket."""


@dataclass(slots=True, kw_only=True)
class Blank:
    """`channel_end` is our bootstrap's end of the channel, and None once its process has it (or for a foreign one)."""

    install: RuntimeInstall
    sandbox: Sandbox
    output: Output
    link: Link
    extensions: Extensions
    listening: list[Listening]
    channel_end: socket.socket | None
    started: bool
    credentials: Handler | None = None
    """What answers at container_credentials.PATH, where there is something."""
    _ending: asyncio.Task[None] | None = None

    async def start(self, process: Process, beside: Sequence[Process] = ()) -> None:
        """Runs the processes, which from here on have the write ends and the channel to themselves."""
        await self.sandbox.start(process, beside)
        self.let_go()

    def files(self) -> dict[int, int]:
        return files_of(self.output, self.channel_end)

    def let_go(self) -> None:
        """Closes our copies of what the process holds now."""
        self.started = True
        self.output.close_write_ends()
        if self.channel_end is not None:
            self.channel_end.close()
            self.channel_end = None

    async def destroy(self) -> None:
        """Returns when nothing is left of it. What it wrote to the end has been read. Idempotent, and done to the end
        when the caller is cancelled."""
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._destroy())
        await asyncio.shield(self._ending)

    async def _destroy(self) -> None:
        self.link.close()
        self.extensions.close()
        try:
            await self.sandbox.destroy()
            for listening in self.listening:
                await listening.close()
        finally:
            if not self.started:
                self.let_go()
            self.output.drain()
            self.output.close()


def files_of(output: Output, channel_end: socket.socket | None) -> dict[int, int]:
    """Of the process of an environment."""
    files = {1: output.raw_write, 2: output.raw_write, 4: output.framed_write}
    if channel_end is not None:
        files[3] = channel_end.fileno()
    return files


async def copy_of(template: Blank) -> Blank:
    """A new one whose process is a copy of the template's as it is now. Raises SandboxError."""
    with ExitStack() as undo:
        output = Output()
        undo.callback(output.close)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        link = await Channel.connect(ours)
        undo.callback(link.close)
        try:
            sandbox = await template.sandbox.fork(files_of(output, theirs))
        finally:
            theirs.close()
            output.close_write_ends()
        undo.pop_all()
    return Blank(
        install=template.install,
        sandbox=sandbox,
        output=output,
        link=link,
        extensions=Extensions(),
        listening=[],
        channel_end=None,
        started=True,
    )
