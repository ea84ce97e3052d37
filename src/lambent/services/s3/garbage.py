"""Removes the files of contents that nothing refers to any more."""

import asyncio
import logging

from lambent.store.ports.contents import ContentStore
from lambent.store.ports.errors import OutcomeUnknownError, StoreClosedError, StoreError
from lambent.store.ports.object_garbage import ObjectGarbage

log = logging.getLogger(__name__)

_AT_ONCE = 500
_AGAIN_SECONDS = 5.0
_TOGETHER_SECONDS = 0.5
"""What was replaced or deleted meanwhile is removed in one go: a look for each of many puts would take as long as the
put."""


class Garbage:
    """`run` goes on for ever, behind the requests; `look` wakes it."""

    def __init__(self, store: ObjectGarbage, contents: ContentStore) -> None:
        self._store = store
        self._contents = contents
        self._wanted = asyncio.Event()

    def look(self) -> None:
        """Something may have been replaced or deleted."""
        self._wanted.set()

    async def refused(self, content: str, error: StoreError) -> None:
        """The write that it was for failed. Where that may have been made all the same, the content stays; if nothing
        refers to it, it goes as a stray."""
        if not isinstance(error, OutcomeUnknownError):
            await self._contents.remove([content])

    async def run(self) -> None:
        strays_looked_for = False
        while True:
            try:
                if not strays_looked_for:
                    await self._remove_strays()
                    strays_looked_for = True
                left = await self.collect()
            except (StoreError, OSError) as error:
                if isinstance(error, StoreClosedError):
                    return
                log.exception("files of deleted objects were not removed; the next attempt comes")
                left = True
            if left:  # somebody still reads them
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                await self._wanted.wait()
                await asyncio.sleep(_TOGETHER_SECONDS)

    async def collect(self) -> bool:
        """Whether there are some left that cannot be removed yet."""
        self._wanted.clear()
        while contents := await self._store.garbage(_AT_ONCE):
            removed = await self._contents.remove(contents)
            await self._store.forget(removed)
            if len(removed) < len(contents):
                return True
        return False

    async def _remove_strays(self) -> None:
        """Contents that were whole when the server was killed, and whose objects were not yet written."""
        async for names in self._contents.old_names():
            if names:
                strays = await self._store.unreferenced(names)
                await self._contents.remove(strays)
