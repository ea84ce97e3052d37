"""A query's process, from the server's side."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from lambent.model.log_query import LogQuery, Row
from lambent.services.logs.insights.errors import QueryFailedError
from lambent.services.logs.insights.frames import LENGTH, encode
from lambent.services.logs.insights.record import Event

_ANSWER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Progress:
    """`wanted` is False when no further event changes the results."""

    matched: int
    wanted: bool


class Run(Protocol):
    """One run of a query. Each method raises QueryFailedError."""

    async def take(self, events: Sequence[Event]) -> Progress:
        """At least one event, the newest first."""
        ...

    def end(self) -> AsyncGenerator[Sequence[Row], None]:
        """No event will follow. The pages of the results."""
        ...

    matched: int


StartRun = Callable[[LogQuery, float], AbstractAsyncContextManager[Run]]


@asynccontextmanager
async def in_process(query: LogQuery, now: float) -> AsyncIterator[Run]:
    """Its process is killed when the context is left. Raises QueryFailedError."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "lambent.services.logs.insights.worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={},
        cwd="/",
    )
    try:
        run = _ProcessRun(process)
        await run.send({"text": query.text, "limit": query.limit, "now": now})
        yield run
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class _ProcessRun:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._given, self._answers = process.stdin, process.stdout
        self.matched = 0

    async def take(self, events: Sequence[Event]) -> Progress:
        await self.send([_plain(event) for event in events])
        answer = await self._answer()
        self.matched = answer["matched"]
        return Progress(answer["matched"], answer["wanted"])

    async def end(self) -> AsyncGenerator[Sequence[Row], None]:
        await self.send([])
        while "end" not in (answer := await self._answer()):
            yield tuple(tuple((name, value) for name, value in row) for row in answer["rows"])
        self.matched = answer["matched"]

    async def send(self, document: Any) -> None:
        self._given.write(encode(document))
        with suppress(ConnectionError):  # it has ended: what it said before is read next
            await self._given.drain()

    async def _answer(self) -> Any:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                (length,) = LENGTH.unpack(await self._answers.readexactly(LENGTH.size))
                answer = orjson.loads(await self._answers.readexactly(length))
        except TimeoutError:
            raise QueryFailedError(
                f"it looked at a thousand events for more than {_ANSWER_SECONDS:g} s"
            ) from None
        except asyncio.IncompleteReadError:
            raise QueryFailedError("its process ended") from None
        if "failed" in answer:
            raise QueryFailedError(answer["failed"])
        return answer


def _plain(event: Event) -> tuple[object, ...]:
    return (
        event.timestamp_ms,
        event.ingestion_ms,
        # What is no Unicode was stored as it came; JSON takes none of it.
        event.message.encode("utf-8", "replace").decode(),
        event.stream,
        event.account_id,
        event.group,
        event.id,
    )
