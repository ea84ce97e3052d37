"""The events of one subscription on their way to an extension: buffered, and delivered in batches, one at a time.

An extension that does not take its batch has it offered again; one that stays behind loses events, and is told how
many with the next batch (`platform.logsDropped`).
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Final

import orjson

from lambent.environments.platform_events import logs_dropped
from lambent.environments.subscriptions import Subscription
from lambent.http.client import RequestFailedError, request_on
from lambent.sandbox.port import SandboxError

log = logging.getLogger(__name__)

_HELD_MOST: Final = 2
"""Batches' worth of bytes that are kept for one who is behind."""
_TRY_AGAIN_SECONDS: Final = (0.1, 0.5, 2.0)
_BEHIND: Final = "Consumer seems to have fallen behind as it has not acknowledged receipt of logs."
_INSIDE: Final = "127.0.0.1"

Connect = Callable[[], Awaitable[socket.socket]]
"""Makes a socket in the environment's network. Raises SandboxError."""


class Subscriber:
    def __init__(self, name: str, wanted: Subscription, connect: Connect, now: Callable[[], float]) -> None:
        self.name = name
        self.wanted = wanted
        self._connect = connect
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._dropped_records = 0
        self._dropped_bytes = 0
        self._hurried = False
        self._timer: asyncio.TimerHandle | None = None
        self._due = asyncio.Event()
        self._awake = asyncio.Event()
        self._awake.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stream: asyncio.StreamWriter | None = None
        self._task = self._loop.create_task(self._run(), name=f"telemetry for {name}")

    def take(self, event: bytes) -> None:
        """`event` is a JSON object."""
        if self._pending_bytes + len(event) > _HELD_MOST * self.wanted.max_bytes:
            self._drop(1, len(event))
            return
        self._pending.append(event)
        self._pending_bytes += len(event)
        self._idle.clear()
        if (
            self._hurried
            or len(self._pending) >= self.wanted.max_items
            or self._pending_bytes >= self.wanted.max_bytes
        ):
            self._due.set()
        elif self._timer is None:
            self._timer = self._loop.call_later(self.wanted.timeout_ms / 1000, self._ring)

    def pause(self) -> None:
        self._awake.clear()

    def resume(self) -> None:
        self._awake.set()

    def hurry(self) -> None:
        """From now on, nothing waits to become a batch."""
        self._hurried = True
        self._due.set()

    async def drained(self, seconds: float) -> None:
        await asyncio.wait([self._loop.create_task(self._idle.wait())], timeout=seconds)

    def close(self) -> None:
        self._task.cancel()
        if self._timer is not None:
            self._timer.cancel()
        if self._stream is not None:
            self._stream.transport.abort()

    def _ring(self) -> None:
        self._timer = None
        self._due.set()

    def _drop(self, records: int, size: int) -> None:
        self._dropped_records += records
        self._dropped_bytes += size

    async def _run(self) -> None:
        while True:
            if not self._pending:
                self._idle.set()
            await self._due.wait()
            await self._awake.wait()
            batch = self._next_batch()
            if batch and not await self._deliver(batch):
                self._drop(len(batch), sum(map(len, batch)))

    def _next_batch(self) -> list[bytes]:
        """From the front, as much as fits; what is left over goes next."""
        size = count = 0
        for event in self._pending[: self.wanted.max_items]:
            if count and size + len(event) > self.wanted.max_bytes:
                break
            size += len(event)
            count += 1
        batch, self._pending = self._pending[:count], self._pending[count:]
        self._pending_bytes -= size
        if not self._pending:
            self._due.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        if batch and self._dropped_records and "platform" in self.wanted.types:
            dropped = logs_dropped(self._dropped_records, self._dropped_bytes, _BEHIND, self._now())
            batch.append(orjson.dumps(dropped.as_object()))
            self._dropped_records = self._dropped_bytes = 0
        return batch

    async def _deliver(self, batch: list[bytes]) -> bool:
        """Whether it was taken."""
        send = self._post if self.wanted.destination.protocol == "HTTP" else self._write
        for wait in (*_TRY_AGAIN_SECONDS, None):
            try:
                await send(batch)
                return True
            except (OSError, SandboxError, RequestFailedError) as error:
                log.debug("extension %s did not take its telemetry: %s", self.name, error)
            if wait is not None:
                await asyncio.sleep(wait)
                await self._awake.wait()
        return False

    async def _post(self, batch: list[bytes]) -> None:
        to = self.wanted.destination
        response = await request_on(
            await self._connected(),
            to.method,
            to.target,
            headers={"Host": to.host, "Content-Type": "application/json"},
            body=b"[" + b",".join(batch) + b"]",
        )
        if not 200 <= response.status < 300:
            raise RequestFailedError(f"status {response.status}")

    async def _write(self, batch: list[bytes]) -> None:
        if self._stream is None:
            _, self._stream = await asyncio.open_connection(sock=await self._connected())
        try:
            self._stream.write(b"\n".join(batch) + b"\n")
            await self._stream.drain()
        except OSError:
            self._stream.transport.abort()
            self._stream = None
            raise

    async def _connected(self) -> socket.socket:
        made = await self._connect()
        try:
            await self._loop.sock_connect(made, (_INSIDE, self.wanted.destination.port))
        except BaseException:
            made.close()
            raise
        return made
