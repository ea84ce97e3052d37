"""What `lambent doctor` finds out: every part is asked for itself, and one sandbox is made and destroyed."""

import asyncio
import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from lambent.cli.host import DataDirectory, Host, Limit, examine_data_directory, examine_host, examine_limits
from lambent.cli.runtimes import RuntimeRow, list_runtimes, make_registry, slow_starts
from lambent.config import Settings
from lambent.sandbox import guarantees
from lambent.sandbox.microvm_probe import microvms_missing
from lambent.sandbox.port import Isolation, Root, SandboxBackend, SandboxError, SandboxSpec
from lambent.sandbox.probe import Check, probe, probe_as_user
from lambent.server.isolation import IsolationUnavailableError, choose_backend
from lambent.store.directory_lock import DataDirectoryLock

_TRIAL_SECONDS = 30.0
_TRIAL_UIDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of making a sandbox here. `refusal` is why there was none; `isolation` then is what the backend
    guarantees where it can be used."""

    isolation: Isolation
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Functions of container images: those of ECR here run as they are; skopeo fetches those of `sources`."""

    skopeo: str | None = None
    """Its path."""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    host: Host
    trial: Trial
    checks: tuple[Check, ...]
    limits: tuple[Limit, ...]
    runtimes: tuple[RuntimeRow, ...]
    data: DataDirectory
    microvms_missing: str | None = None
    """Why no virtual machine runs here; None where one did."""
    images: Images = Images()

    @property
    def healthy(self) -> bool:
        """Functions can run here, isolated."""
        return self.trial.refusal is None and self.data.problem is None

    @property
    def wants(self) -> list[tuple[str, str]]:
        """(what is missing, what mends it)."""
        found = [(f"{check.name}: {check.detail}", check.mend) for check in self.checks if not check.ok]
        if self.data.problem is not None:
            found.append(_split(f"data directory: {self.data.problem}"))
        if not any(row.managed and row.version is not None for row in self.runtimes):
            found.append(("runtimes: no Python or Node.js was found", "apt-get install python3 nodejs"))
        found += [
            (f"{names} starts slower: {reason}", mend) for reason, mend, names in slow_starts(self.runtimes)
        ]
        wanted = [*self.images.sources, *(row.image for row in self.runtimes if row.image is not None)]
        if wanted and self.images.skopeo is None:
            missing = f"container images: no skopeo to fetch those of {', '.join(wanted)}"
            found.append((missing, "apt-get install skopeo"))
        return found


def diagnose(settings: Settings) -> Diagnosis:
    """Takes a second or two. As root it makes a sandbox, and leaves nothing of it."""
    host = examine_host()
    registry = make_registry(settings)
    root = next(install.root for install in reversed(registry.installed()))
    return Diagnosis(
        host=host,
        trial=_try_here(settings, root),
        checks=tuple(_checks(settings)),
        limits=tuple(examine_limits(host, settings.uid_count)),
        runtimes=list_runtimes(registry),
        microvms_missing=microvms_missing(),
        data=examine_data_directory(settings.data_dir, DataDirectoryLock(settings.data_dir).holder()),
        images=Images(skopeo=shutil.which("skopeo"), sources=settings.image_sources),
    )


def _checks(settings: Settings) -> list[Check]:
    if os.geteuid() == 0:
        return probe(uid_first=settings.uid_base, uid_count=settings.uid_count)
    return probe_as_user()


def _try_here(settings: Settings, root: Root) -> Trial:
    """In a directory of its own beside what a running server has, on the same file system, with the last uids."""
    below = settings.data_dir if os.access(settings.data_dir, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="doctor-", dir=below) as directory:
        uid_base = settings.uid_base + settings.uid_count - _TRIAL_UIDS
        try:
            own = replace(settings, data_dir=Path(directory), uid_base=uid_base, uid_count=_TRIAL_UIDS)
            # A network would change the host.
            backend = choose_backend(replace(own, function_network="none"))
        except IsolationUnavailableError as error:
            wanted = "namespaces" if settings.isolation == "auto" else settings.isolation
            would_be = Isolation(backend=wanted, guarantees=guarantees.ALL[wanted], missing=(), cgroup="none")
            return Trial(isolation=would_be, refusal=str(error))
        return asyncio.run(try_isolation(backend, root))


async def try_isolation(backend: SandboxBackend, root: Root) -> Trial:
    """Opens `backend`, makes, seals and destroys one sandbox, and closes it."""
    refusal: str | None = None
    isolation = backend.isolation
    try:
        async with asyncio.timeout(_TRIAL_SECONDS):
            await backend.open()
            isolation = backend.isolation
            sandbox = await backend.create(SandboxSpec(root=root))
            await sandbox.seal()
            await sandbox.destroy()
    except (SandboxError, OSError) as error:
        refusal = str(error) or f"no sandbox within {_TRIAL_SECONDS:.0f} s"
    finally:
        await backend.close()
    return Trial(isolation=isolation, refusal=refusal)


def _split(problem: str) -> tuple[str, str]:
    """ "name: what is wrong: what to do" in two: the last part mends."""
    wrong, _, mend = problem.rpartition(": ")
    return wrong, mend
