"""Blank environments: isolated, their runtime up where it is ours, belonging to no function yet, made before needed.

A blank is used once. Runtimes in use keep a few in stock (`--blanks-per-runtime`): started where our bootstrap runs in
them, unstarted for what is chosen only with the function. Who finds none waits for one that is made for it, in order of
arrival, because making is bounded (`_MAKING_MOST`).

A blank that is started has executed its interpreter, or is a copy of a process that did (`zygotes.py`); then it is of a
lineage, for which it is kept apart.
"""

import asyncio
import logging
from collections import deque

from lambent.base.tasks import Tasks
from lambent.environments.blank import Blank, Handler, Serve
from lambent.environments.blank_maker import BlankMaker
from lambent.environments.zygotes import Key, Lineage, Zygotes
from lambent.runtimes.install import RuntimeInstall
from lambent.sandbox.port import SandboxBackend, SandboxError

log = logging.getLogger(__name__)

_MAKING_MOST = 4
"""Sandboxes made at the same time; more only slow each other down."""
_RETRY_SECONDS = 1.0
_MEMORY_SIZES_MOST = 4
"""Of those that blanks of a runtime are made for, where they are made for one; the ones that were not asked for longest
are given up."""
_RESTOCK_AFTER_SECONDS = 0.05
"""What takes the place of a blank that was taken is not made while the one who took it is being initialized."""


class _Shelf:
    """The blanks of one runtime, all started or none, and of one lineage or of none."""

    def __init__(self, install: RuntimeInstall, *, started: bool, lineage: Lineage | None) -> None:
        self.install = install
        self.started = started
        self.lineage = lineage
        self.blanks: deque[Blank] = deque()
        self.making = 0

    @property
    def key(self) -> tuple[str, bool, Lineage | None]:
        return _key(self.install, self.started, self.lineage)


def _key(install: RuntimeInstall, started: bool, lineage: Lineage | None) -> tuple[str, bool, Lineage | None]:
    return install.stock if started else install.identifier, started, lineage


class Blanks:
    def __init__(
        self,
        backend: SandboxBackend,
        serve: Serve,
        gateway: Handler,
        *,
        stock: int,
        zygotes: Zygotes | None = None,
    ) -> None:
        """Without `zygotes`, every blank executes its interpreter."""
        self._maker = BlankMaker(backend, serve, gateway)
        self._stock_wanted = stock
        self._shelves: dict[tuple[str, bool, Lineage | None], _Shelf] = {}
        self._zygotes = zygotes
        if zygotes is not None:
            zygotes.on_moved = self._give_up
        self._turns = asyncio.Semaphore(_MAKING_MOST)
        self._tasks = Tasks("blanks")
        self._closing = False

    def expect(self, install: RuntimeInstall, lineage: Lineage | None = None) -> None:
        """A function of this runtime may be called soon: see that there is stock."""
        self._fill(self._shelf(install, started=install.waits, lineage=lineage))
        if install.memory_mb is not None:
            self._give_up_sizes(install)

    def starts(self, install: RuntimeInstall) -> bool:
        """Whether to take a started one: of a launcher only from stock, because making one takes longer than what it
        saves."""
        if install.kind == "channel" or not install.waiting_argv:
            return install.kind == "channel"
        if self._shelf(install, started=True, lineage=None).blanks:
            return True
        if self._stock_wanted:
            asyncio.get_running_loop().call_later(_RESTOCK_AFTER_SECONDS, self.expect, install)
        return False

    def in_stock(self, install: RuntimeInstall, *, started: bool, lineage: Lineage | None = None) -> int:
        return len(self._shelf(install, started=started, lineage=lineage).blanks)

    async def take(self, install: RuntimeInstall, *, started: bool, lineage: Lineage | None = None) -> Blank:
        """A blank nobody has used. With `started`, our bootstrap runs in it; without, its process is still to be
        chosen (a foreign runtime, or variables that must be there at exec). It may be a copy of what others of its
        `lineage` are; without one it is nobody's copy. Raises SandboxError."""
        shelf = self._shelf(install, started=started, lineage=lineage)
        if self._stock_wanted:
            asyncio.get_running_loop().call_later(_RESTOCK_AFTER_SECONDS, self._fill, shelf)
        blank = self._pick(shelf)
        if blank is None and shelf.lineage is not None:
            blank = self._pick(self._shelf(install, started=started, lineage=None))
        return blank if blank is not None else await self._make_for_caller(shelf)

    def _pick(self, shelf: _Shelf) -> Blank | None:
        while shelf.blanks:
            blank = shelf.blanks.popleft()
            if not blank.sandbox.exited.done():
                return blank
            log.warning("a %s blank has ended while it was in stock", shelf.install.identifier)
            self._tasks.start(blank.destroy(), "destroy a dead blank")
        return None

    async def make_to_copy(self, install: RuntimeInstall) -> Blank:
        """One without a process, which will be copied. Raises SandboxError."""
        return await self._maker.make_to_copy(install)

    async def close(self) -> None:
        """Destroys what is in stock or being made for it; what was taken belongs to who took it."""
        self._closing = True
        await self._tasks.close()
        if self._zygotes is not None:
            await self._zygotes.close()
        for shelf in self._shelves.values():
            await asyncio.gather(*(blank.destroy() for blank in shelf.blanks))
            shelf.blanks.clear()

    def _shelf(self, install: RuntimeInstall, *, started: bool, lineage: Lineage | None) -> _Shelf:
        """The common one, where there is no zygote for the lineage."""
        if lineage is not None and not (
            started and self._zygotes is not None and self._zygotes.keep(install, lineage)
        ):
            lineage = None
        key = _key(install, started, lineage)
        if key not in self._shelves:
            self._shelves[key] = _Shelf(install, started=started, lineage=lineage)
        return self._shelves[key]

    def _give_up_sizes(self, install: RuntimeInstall) -> None:
        """But for those of this one and of a few that were expected last."""
        wanted = _key(install, True, None)
        self._shelves[wanted] = self._shelves.pop(wanted)  # the last in order
        same = [
            key for key, shelf in self._shelves.items()
            if shelf.started and shelf.install.identifier == install.identifier
        ]  # fmt: skip
        for key in same[:-_MEMORY_SIZES_MOST]:
            for blank in self._shelves.pop(key).blanks:
                self._tasks.start(blank.destroy(), f"give up a {key[0]} blank")

    def _give_up(self, key: Key) -> None:
        """A lineage has no zygote any more."""
        identifier, lineage = key
        shelf = self._shelves.pop((identifier, True, lineage), None)
        for blank in shelf.blanks if shelf is not None else ():
            self._tasks.start(blank.destroy(), "destroy a blank of nobody")

    def _fill(self, shelf: _Shelf) -> None:
        if self._closing or self._shelves.get(shelf.key) is not shelf:
            return
        for _ in range(self._stock_wanted - len(shelf.blanks) - shelf.making):
            shelf.making += 1
            self._tasks.start(self._restock(shelf), f"make a {shelf.install.stock} blank")

    async def _make_for_caller(self, shelf: _Shelf) -> Blank:
        """Making is never broken off half-way: if the caller is cancelled, what was made for it is destroyed."""
        making = asyncio.ensure_future(self._make(shelf))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            self._tasks.start(_destroy_when_made(making), "destroy a blank whose caller left")
            raise

    async def _restock(self, shelf: _Shelf) -> None:
        try:
            if shelf.lineage is not None and self._zygotes is not None:
                await self._zygotes.wait_made(shelf.install, shelf.lineage)
            blank = await self._make(shelf)
            if self._shelves.get(shelf.key) is shelf:
                shelf.blanks.append(blank)
            else:
                await blank.destroy()
        except SandboxError as error:
            log.error("could not make a blank for %s: %s", shelf.install.identifier, error)
            await asyncio.sleep(_RETRY_SECONDS)
        finally:
            shelf.making -= 1

    async def _make(self, shelf: _Shelf) -> Blank:
        async with self._turns:
            return await self._copy(shelf) or await self._maker.make(shelf.install, start=shelf.started)

    async def _copy(self, shelf: _Shelf) -> Blank | None:
        """None where there is nothing to copy."""
        if shelf.lineage is None or self._zygotes is None:
            return None
        async with self._zygotes.copied(shelf.install, shelf.lineage) as zygote:
            if zygote is None:
                return None
            try:
                return await self._maker.copy(shelf.install, zygote)
            except SandboxError as error:
                log.warning("a %s blank could not be copied: %s", shelf.install.identifier, error)
                return None


async def _destroy_when_made(making: "asyncio.Future[Blank]") -> None:
    try:
        blank = await making
    except SandboxError:
        return
    await blank.destroy()
