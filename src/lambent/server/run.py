"""The life of a server process: start, say so, wait for a signal, end gracefully."""

import asyncio
import errno
import gc
import json
import logging
import os
import signal
from pathlib import Path

import uvloop

from lambent.api.root_key import RootKeyError
from lambent.base.log import configure_log
from lambent.config import READY_FILE, Settings, SettingsError
from lambent.sandbox.port import SandboxError
from lambent.server.code_store import CodeStoreError
from lambent.server.compose import Server
from lambent.server.descriptors import raise_descriptor_limit
from lambent.server.isolation import IsolationUnavailableError
from lambent.server.keys import KeysError
from lambent.store.ports.errors import StoreError, StoreUnavailableError

_CANNOT_START = (
    OSError,
    StoreError,
    SandboxError,
    RootKeyError,
    KeysError,
    CodeStoreError,
    IsolationUnavailableError,
    SettingsError,
)

log = logging.getLogger(__name__)


class StartError(Exception):
    """The server cannot start; the message is one line that says why and what to do."""


def run(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Blocking. Raises StartError."""
    configure_log(settings.log_level, settings.log_format, outages=(StoreUnavailableError,))
    raise_descriptor_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = Server(settings)
    try:
        if not await _opened(server, stop):
            return
    except _CANNOT_START as error:
        raise StartError(_in_one_line(error, settings)) from error
    log.info("listening at %s; data in %s", server.endpoint, settings.data_dir)
    log.info("isolation: %s, cgroups: %s", server.backend.isolation.backend, server.backend.isolation.cgroup)
    for missing in server.backend.isolation.missing:
        log.warning("isolation is not complete here: %s", missing)
    if settings.dev:
        log.warning("--dev: every request from this machine is accepted, signed or not")
    _settle_garbage()
    ready_files = [settings.data_dir / READY_FILE, *([settings.ready_file] if settings.ready_file else [])]
    for file in ready_files:
        _announce(server, file)
    log.info('for the AWS CLI and SDKs: eval "$(lambent env --data-dir %s)"', settings.data_dir)
    await stop.wait()
    log.info("ending: answering what is in progress")
    for file in ready_files:
        file.unlink(missing_ok=True)
    await server.close()


async def _opened(server: Server, stop: asyncio.Event) -> bool:
    """False where it was told to end before it was open: fetching what it needs may take long. Raises what opening
    does."""
    opening, stopping = asyncio.ensure_future(server.open()), asyncio.ensure_future(stop.wait())
    await asyncio.wait([opening, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not opening.done():
        opening.cancel()
    try:
        await opening
    except asyncio.CancelledError:
        return False
    return True


def _settle_garbage() -> None:
    """What is there now stays for ever: it is looked at no more. Requests make few cycles, so looking for them can wait
    (an invocation makes none)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _in_one_line(error: Exception, settings: Settings) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {settings.port} of {settings.host} is taken: stop what listens there, or choose another --port"
    return str(error)


def _announce(server: Server, ready_file: Path) -> None:
    """Written (0600) when the endpoint answers: all that a client needs."""
    ready = {
        "region": server.settings.region,
        "endpoint": server.endpoint,
        "access_key_id": server.root_key.access_key_id,
        "secret_access_key": server.root_key.secret_access_key,
    }
    unfinished = ready_file.with_name(f"{ready_file.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(ready, file)
    unfinished.rename(ready_file)
