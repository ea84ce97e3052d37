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
from lambent.services.logs.insights.plan import plan
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
    """There is a process from the first events on; it is killed when the context is left. Raises QueryFailedError."""
    run = _ProcessRun(query, now)
    try:
        yield run
    finally:
        await run.kill()


class _ProcessRun:
    def __init__(self, query: LogQuery, now: float) -> None:
        self._query, self._now = query, now
        self._process: asyncio.subprocess.Process | None = None
        self.matched = 0

    async def take(self, events: Sequence[Event]) -> Progress:
        if self._process is None:
            await self._begin()
        await self._send([_plain(event) for event in events])
        answer = await self._answer()
        self.matched = answer["matched"]
        return Progress(answer["matched"], answer["wanted"])

    async def end(self) -> AsyncGenerator[Sequence[Row], None]:
        if self._process is None:  # nothing was found, so there is nothing that could take long
            made = plan(self._query.text, limit=self._query.limit, now=self._now)
            made.first.end()
            if made.rows:
                yield tuple(tuple(row) for row in made.rows)
            return
        await self._send([])
        while "end" not in (answer := await self._answer()):
            yield tuple(tuple((name, value) for name, value in row) for row in answer["rows"])
        self.matched = answer["matched"]

    async def kill(self) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def _begin(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", "lambent.services.logs.insights.worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={},
            cwd="/",
        )
        await self._send({"text": self._query.text, "limit": self._query.limit, "now": self._now})

    async def _send(self, document: Any) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(encode(document))
        with suppress(ConnectionError):  # it has ended: what it said before is read next
            await self._process.stdin.drain()

    async def _answer(self) -> Any:
        assert self._process is not None
        answers = self._process.stdout
        assert answers is not None
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                (length,) = LENGTH.unpack(await answers.readexactly(LENGTH.size))
                answer = orjson.loads(await answers.readexactly(length))
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
