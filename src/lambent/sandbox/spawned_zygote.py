"""A zygote, seen from the server."""

import asyncio
from asyncio import Future
from collections.abc import Callable

from lambent.sandbox.port import SandboxError


class SpawnedZygote:
    """`end` has the spawner end it."""

    def __init__(self, zygote_id: str, end: Callable[[str], None]) -> None:
        self.id = zygote_id
        self.private_bytes = 0
        loop = asyncio.get_running_loop()
        self.ended: Future[None] = loop.create_future()
        self._ready: Future[None] = loop.create_future()
        self._end = end

    async def wait_ready(self) -> None:
        """Raises SandboxError where it ends before."""
        await asyncio.wait([self._ready, self.ended], return_when=asyncio.FIRST_COMPLETED)
        if self.ended.done():
            raise SandboxError("the process that was to be copied has ended")

    async def close(self) -> None:
        if not self.ended.done():
            self._end(self.id)
            await self.ended

    def is_ready(self, private_bytes: int) -> None:
        self.private_bytes = private_bytes
        if not self._ready.done():
            self._ready.set_result(None)

    def is_gone(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
