"""How one blank is made: a sandbox, what listens in it, and the process that waits there for a function."""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

from lambent.environments import container_credentials, extensions_api, subscriptions
from lambent.environments.blank import Blank, Handler, Serve, files_of
from lambent.environments.channel import Channel
from lambent.environments.extensions import Extensions
from lambent.environments.extensions_api import ExtensionsApi
from lambent.environments.launched import Launched
from lambent.environments.link import Link, LinkError
from lambent.environments.output import Output
from lambent.environments.runtime_api import RuntimeApi, closed_runtime_api
from lambent.environments.variables import GATEWAY_PORT, RUNTIME_API_PORT
from lambent.http.message import Request, Response
from lambent.runtimes.install import RuntimeInstall
from lambent.sandbox.port import Process, SandboxBackend, SandboxError, SandboxSpec, Zygote

_READY_SECONDS = 30.0


class BlankMaker:
    """Everything here raises SandboxError, and leaves nothing where it does."""

    def __init__(self, backend: SandboxBackend, serve: Serve, gateway: Handler) -> None:
        self._backend = backend
        self._serve = serve
        self._gateway = gateway

    async def make(self, install: RuntimeInstall, *, start: bool) -> Blank:
        blank = await self._make_unstarted(install, start=start)
        try:
            await self._listen(blank)
            if start:
                await self._start(blank)
        except BaseException:
            await blank.destroy()
            raise
        return blank

    async def copy(self, install: RuntimeInstall, zygote: Zygote) -> Blank:
        """Of a zygote's: it goes on by itself as soon as it is there."""
        blank = await self._make_unstarted(install, start=True, zygote=zygote)
        try:
            blank.let_go()
            await self._listen(blank)
            await _wait_up(blank)
        except BaseException:
            await blank.destroy()
            raise
        return blank

    async def make_to_copy(self, install: RuntimeInstall) -> Blank:
        """One without a process, which will be copied."""
        blank = await self._make_unstarted(install, forks=True)
        try:
            await self._listen(blank)
        except BaseException:
            await blank.destroy()
            raise
        return blank

    async def _make_unstarted(
        self,
        install: RuntimeInstall,
        *,
        start: bool = False,
        forks: bool = False,
        zygote: Zygote | None = None,
    ) -> Blank:
        """`start` says whether it is going to be, without a function; a copy of a zygote runs already."""
        link: Link
        channel_end = None
        with ExitStack() as undo:
            output = Output()
            undo.callback(output.close)
            undo.callback(output.close_write_ends)
            if install.kind == "channel" or start:
                ours, channel_end = socket.socketpair()
                undo.callback(channel_end.close)
                ours.setblocking(False)
                link = await Channel.connect(ours) if install.kind == "channel" else Launched(ours)
            else:
                link = RuntimeApi()
            undo.callback(link.close)
            process = None
            if zygote is not None:
                process = _waiting(install, files_of(output, channel_end))
            spec = replace(_spec(install), forks=forks, zygote=zygote)
            sandbox = await self._backend.create(spec, process)
            undo.pop_all()
        return Blank(
            install=install,
            sandbox=sandbox,
            output=output,
            link=link,
            extensions=Extensions(),
            listening=[],
            channel_end=channel_end,
            started=False,
        )

    async def _listen(self, blank: Blank) -> None:
        for sock, handler in zip(blank.sandbox.listeners, (_api(blank), self._gateway), strict=True):
            blank.listening.append(await self._serve(sock, handler))

    async def _start(self, blank: Blank) -> None:
        """Raises SandboxError."""
        install = blank.install
        try:
            await blank.start(_waiting(install, blank.files()))
        except SandboxError as error:
            raise _not_up(install, error) from error
        await _wait_up(blank)


def _waiting(install: RuntimeInstall, files: Mapping[int, int]) -> Process:
    """What waits for a function."""
    argv = install.waiting_argv or install.argv
    return Process(argv=argv, variables=install.static_variables, files=files)


async def _wait_up(blank: Blank) -> None:
    """Raises SandboxError."""
    try:
        await asyncio.wait_for(blank.link.ready(), _READY_SECONDS)
    except (LinkError, TimeoutError) as error:
        raise _not_up(blank.install, error) from error


def _not_up(install: RuntimeInstall, error: Exception) -> SandboxError:
    return SandboxError(f"{install.identifier} did not come up: {str(error) or type(error).__name__}")


def _api(blank: Blank) -> Handler:
    """What an environment has on its 127.0.0.1:9001."""
    runtime = blank.link.handle if isinstance(blank.link, RuntimeApi) else closed_runtime_api
    beside = ExtensionsApi(blank.extensions)

    async def handle(request: Request) -> Response:
        if request.path.startswith(extensions_api.PREFIX):
            return await beside.handle(request)
        if request.path.rstrip("/") in subscriptions.PATHS:
            return beside.subscribe(request)
        if blank.credentials is not None and request.path == container_credentials.PATH:
            return await blank.credentials(request)
        return await runtime(request)

    return handle


def _spec(install: RuntimeInstall) -> SandboxSpec:
    return SandboxSpec(
        root=install.root, listen=(("127.0.0.1", RUNTIME_API_PORT), ("127.0.0.1", GATEWAY_PORT))
    )
