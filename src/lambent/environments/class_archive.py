"""Makes what lets a launcher load its classes faster (`ClassArchive`), once per host and interpreter."""

import asyncio
import logging
from typing import Final

from lambent.base.disk import sync_file_system
from lambent.base.ids import new_token
from lambent.runtimes.install import CLASS_ARCHIVE_DESCRIPTOR, ClassArchive, RuntimeInstall
from lambent.sandbox.port import Exit, Process, SandboxBackend, SandboxError, SandboxSpec

log = logging.getLogger(__name__)

_SECONDS: Final = 120.0


async def make_class_archive(backend: SandboxBackend, install: RuntimeInstall) -> None:
    """Unless it is there. That it cannot be made costs speed, and is logged."""
    archive = install.class_archive
    if archive is None or archive.path.exists():
        return
    try:
        exit = await _make(backend, install, archive)
    except (OSError, SandboxError, TimeoutError) as error:
        log.warning("no classes were archived for %s: %s", install.identifier, str(error) or "too slow")
        return
    if exit.code != 0:
        log.warning("no classes were archived for %s: it ended with %s", install.identifier, exit)


async def _make(backend: SandboxBackend, install: RuntimeInstall, archive: ClassArchive) -> Exit:
    """Whole or not at all. Raises OSError, SandboxError, TimeoutError."""
    unfinished = archive.path.with_suffix(f".{new_token(8)}")
    sandbox = await backend.create(SandboxSpec(root=install.root))
    try:
        with unfinished.open("xb") as file:
            files = {CLASS_ARCHIVE_DESCRIPTOR: file.fileno()}
            await sandbox.start(Process(argv=archive.argv, variables=install.static_variables, files=files))
        exit = await asyncio.wait_for(asyncio.shield(sandbox.exited), _SECONDS)
        if exit.code == 0:
            unfinished.chmod(0o644)
            # It gets its name when it is on disk: what a power cut left would be taken for whole.
            await asyncio.to_thread(sync_file_system, archive.path.parent)
            unfinished.rename(archive.path)
            archive.options.write_text(archive.content)
        return exit
    finally:
        await sandbox.destroy()
        unfinished.unlink(missing_ok=True)
