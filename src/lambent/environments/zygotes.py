"""Processes whose copies blanks are: one for each account and runtime, which has never run a function's code.

Copies of one process have the layout of its memory and the seed of its hashes in common, so no two accounts' are of
one, and none is copied for long. There are only so many: who is left without gets blanks that execute an interpreter.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lambent.base.tasks import Tasks
from lambent.model.function import FunctionVersion
from lambent.runtimes.install import RuntimeInstall
from lambent.sandbox.port import SandboxBackend, SandboxError, Zygote

log = logging.getLogger(__name__)

_COPIES_MOST = 1000
_AGE_MOST_SECONDS = 600.0
_MOVED_AFTER_SECONDS = 60.0
"""How long one must not have been used before it gives way to another account's."""
_RETRY_SECONDS = 1.0
_RETRY_SECONDS_MOST = 60.0
"""How long none is made after a failure: twice as long after each. The first may have met the end of something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Whose environments may be copies of one process: of an account, those that need the AWS SDK or those that do
    not."""

    account_id: str
    with_sdk: bool = False


def lineage_of(version: FunctionVersion, *, with_sdk: bool) -> Lineage | None:
    """None where its environments are nobody's copies: tenants of a function have nothing in common."""
    if version.tenant_isolation:
        return None
    return Lineage(account_id=version.function.account_id, with_sdk=with_sdk)


Key = tuple[str, Lineage]
"""A runtime's identifier, and for whom."""


class _Kept:
    """What a key has: one that is copied, and perhaps one being made that will take its place."""

    def __init__(self, now: float) -> None:
        self.used_at = now
        self.current: _Copied | None = None
        self.making: asyncio.Task[None] | None = None
        self.failures = 0
        self.retry_at = now


class _Copied:
    """Closed when it has been replaced and the last copy under way is made."""

    def __init__(self, zygote: Zygote, now: float) -> None:
        self.zygote = zygote
        self.made_at = now
        self.copies = 0
        self.copying = 0
        self.replaced = False

    def is_worn(self, now: float) -> bool:
        return self.copies >= _COPIES_MOST or now - self.made_at >= _AGE_MOST_SECONDS


class Zygotes:
    def __init__(self, backend: SandboxBackend, monotonic: Callable[[], float], *, most: int) -> None:
        """`most` 0 keeps none."""
        self._backend = backend
        self._monotonic = monotonic
        self._most = most
        self._kept: dict[Key, _Kept] = {}
        self._tasks = Tasks("zygotes")
        self._closing = False
        self.on_moved: Callable[[Key], None] = lambda key: None
        """Told of those who have none any more."""

    def keep(self, install: RuntimeInstall, lineage: Lineage) -> bool:
        """Whether there is one, or will be; it is used now."""
        if not self._most or not install.copyable or self._closing:
            return False
        key, now = (install.identifier, lineage), self._monotonic()
        kept = self._kept.get(key)
        if kept is None:
            if not self._make_room(now):
                return False
            kept = self._kept[key] = _Kept(now)
        kept.used_at = now
        if now < kept.retry_at:
            return False
        if kept.current is not None and kept.current.zygote.ended.done():
            kept.current = None
        current = kept.current
        if kept.making is None and (current is None or current.is_worn(now)):
            kept.making = self._tasks.start(self._make(install, key, kept), f"make a zygote for {key[0]}")
        return True

    async def wait_made(self, install: RuntimeInstall, lineage: Lineage) -> None:
        """Returns when there is one, where one is being made, or none can be."""
        kept = self._kept.get((install.identifier, lineage))
        if kept is not None and kept.current is None and kept.making is not None:
            await asyncio.wait([kept.making])

    @asynccontextmanager
    async def copied(self, install: RuntimeInstall, lineage: Lineage) -> AsyncIterator[Zygote | None]:
        """One that is copied once within; None where there is none yet."""
        kept = self._kept.get((install.identifier, lineage))
        current = None if kept is None else kept.current
        if kept is None or current is None:
            yield None
            return
        current.copies += 1
        current.copying += 1
        try:
            yield current.zygote
        finally:
            current.copying -= 1
            self._close_if_over(current)

    async def close(self) -> None:
        self._closing = True
        await self._tasks.close()
        for kept in self._kept.values():
            if kept.current is not None:
                await kept.current.zygote.close()
        self._kept.clear()

    async def _make(self, install: RuntimeInstall, key: Key, kept: _Kept) -> None:
        try:
            zygote = await self._backend.open_zygote(
                install.root, install.as_zygote(with_sdk=key[1].with_sdk)
            )
        except SandboxError as error:
            log.error("environments of %s execute their interpreter: %s", install.identifier, error)
            pause = _RETRY_SECONDS * 2 ** min(kept.failures, 10)
            kept.failures += 1
            kept.retry_at = self._monotonic() + min(pause, _RETRY_SECONDS_MOST)
        else:
            self._replace(kept, _Copied(zygote, self._monotonic()))
            kept.failures = 0
            if self._kept.get(key) is not kept:  # it gave way meanwhile
                self._replace(kept, None)
        finally:
            kept.making = None

    def _replace(self, kept: _Kept, new: _Copied | None) -> None:
        old, kept.current = kept.current, new
        if old is not None:
            old.replaced = True
            self._close_if_over(old)

    def _close_if_over(self, copied: _Copied) -> None:
        if copied.replaced and not copied.copying:
            self._tasks.start(copied.zygote.close(), "end a zygote")

    def _make_room(self, now: float) -> bool:
        if len(self._kept) < self._most:
            return True
        key, oldest = min(self._kept.items(), key=lambda item: item[1].used_at)
        if now - oldest.used_at < _MOVED_AFTER_SECONDS:
            return False
        del self._kept[key]
        self._replace(oldest, None)
        self.on_moved(key)
        return True
