"""Queries, from their start to the day on which their results are forgotten.

A query is on disk before its start is answered, and so are its results before it is complete. Whoever carries one out
says so every few seconds; where nobody does any more (the server was killed), the next who asks for it begins it again.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

from lambent.base.clock import Clock
from lambent.base.tasks import Tasks
from lambent.model.log_query import LogQuery, QueryPage, QueryStatistics, QueryStatus, Row
from lambent.services.logs.insights.errors import QueryFailedError
from lambent.services.logs.insights.places import Place, Places
from lambent.services.logs.insights.process import StartRun, in_process
from lambent.services.logs.insights.reading import GroupReader, chunks
from lambent.store.ports.errors import NotFoundError, StaleRevisionError, StoreError
from lambent.store.ports.logs import LogStore
from lambent.store.ports.named_records import Name, NamedRecords

log = logging.getLogger(__name__)

FINISHED: frozenset[QueryStatus] = frozenset({"Complete", "Failed", "Cancelled", "Timeout"})
_KEPT_SECONDS = 7 * 24 * 3600
_LONGEST_SECONDS = 3600.0
_SAY_SECONDS = 2.0
_GONE_MS = 10_000
_TOGETHER = 2
"""Run at a time; further queries are scheduled."""
_UNFINISHED_MOST = 100
_SWEEP_SECONDS = 3600.0
_SWEPT_AT_A_TIME = 100


class TooManyQueriesError(Exception):
    pass


class Queries:
    def __init__(
        self,
        records: NamedRecords[LogQuery],
        pages: NamedRecords[QueryPage],
        store: LogStore,
        clock: Clock,
        *,
        start_run: StartRun = in_process,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        quick_seconds: float = 0.1,
    ) -> None:
        """`quick_seconds` is how long a start waits for the answer."""
        self._records = records
        self._pages = pages
        self._store = store
        self._clock = clock
        self._start_run = start_run
        self._sleep = sleep
        self._quick_seconds = quick_seconds
        self._tasks = Tasks("log queries")
        self._places = Places(_TOGETHER, clock)
        self._live: dict[Name, _Live] = {}
        self.close = self._tasks.close

    @property
    def unfinished(self) -> int:
        """How many this process carries out."""
        return len(self._live)

    async def start(self, name: Name, query: LogQuery) -> None:
        """Returns when it is on disk, and a moment later where it may then be answered already. Raises
        TooManyQueriesError, StoreError."""
        if sum(other.account_id == name.account_id for other in self._live) >= _UNFINISHED_MOST:
            raise TooManyQueriesError
        query = replace(query, seen_ms=self._now_ms())
        await self._records.insert(name, query, due_at=self._clock.now() + _KEPT_SECONDS)
        running = self._carry_out(name, query)
        await asyncio.wait((running,), timeout=self._quick_seconds)

    async def get(self, name: Name) -> LogQuery | None:
        """As it is now; begun again where nobody carries it out."""
        if (live := self._live.get(name)) is not None:
            return live.query
        query = await self._records.get(name)
        if query is None or query.status in FINISHED or self._now_ms() - query.seen_ms < _GONE_MS:
            return query
        adopted = replace(query, seen_ms=self._now_ms(), status="Scheduled", statistics=QueryStatistics())
        try:
            await self._records.replace(name, adopted, previous=query, keeps_due=True)
        except (StaleRevisionError, NotFoundError):  # somebody else was quicker
            return await self._records.get(name)
        if name not in self._live:
            self._carry_out(name, adopted)
        return adopted

    async def stop(self, name: Name) -> bool:
        """Whether it was running. Raises NotFoundError."""
        query = await self.get(name)
        if query is None:
            raise NotFoundError(name.name)
        while query.status not in FINISHED:
            live = self._live.get(name)
            previous = query if live is None else live.stored
            cancelled = replace(query, status="Cancelled")
            try:
                await self._records.replace(name, cancelled, previous=previous, keeps_due=True)
            except StaleRevisionError:
                query = await self._records.get(name)
                if query is None:
                    return False
                continue
            if live is not None:
                live.query = cancelled
                live.task.cancel()
                await asyncio.wait((live.task,))  # then its place is another's
            return True
        return False

    async def rows(self, name: Name, query: LogQuery, start: int) -> AsyncGenerator[Sequence[Row], None]:
        """The rows of a complete query from this one on, page by page."""
        first = 0
        for number, count in enumerate(query.pages):
            if first + count > start:
                page = await self._pages.get(_page_name(name, query, number))
                if page is None:
                    return
                yield page.rows[max(0, start - first) :]
            first += count

    async def all(self, account_id: str, region: str) -> list[tuple[Name, LogQuery]]:
        """The newest first."""
        found: list[tuple[Name, LogQuery]] = []
        after = ("", "")
        while page := await self._records.page(account_id, region, after=after, limit=1000):
            found += page
            after = ("", page[-1][0].name)
        current = [(name, live.query if (live := self._live.get(name)) else query) for name, query in found]
        return sorted(current, key=lambda entry: entry[1].created_ms, reverse=True)

    async def forget(self) -> None:
        """Deletes what is older than a week, once an hour, until cancelled."""
        while True:
            try:
                while due := await self._records.due(now=self._clock.now(), limit=_SWEPT_AT_A_TIME):
                    for one in due:
                        await self._delete(one.name)
            except StoreError as error:
                log.warning("old log queries were not deleted: %s; next attempt in an hour", error)
            await self._sleep(_SWEEP_SECONDS)

    async def _delete(self, name: Name) -> None:
        parent = name.name
        while found := await self._pages.page(name.account_id, name.region, parent=parent, limit=20):
            for page, _ in found:
                await _gone(self._pages.delete(page))
        await _gone(self._records.delete(name))

    def _carry_out(self, name: Name, query: LogQuery) -> asyncio.Task[None]:
        live = self._live[name] = _Live(query)
        live.task = self._tasks.start(self._run(name, live), name.name)
        live.task.add_done_callback(lambda _: self._live.pop(name, None))
        return live.task

    async def _run(self, name: Name, live: "_Live") -> None:
        try:
            status = await self._outcome(name, live)
            await self._store_state(name, live, replace(live.query, status=status))
            live.query = live.stored
        except (StaleRevisionError, NotFoundError):
            pass  # it was stopped, or is somebody else's by now
        except StoreError as error:
            log.warning("the log query %s was left unfinished: %s", name.name, error)

    async def _outcome(self, name: Name, live: "_Live") -> QueryStatus:
        try:
            async with self._places.take(name.account_id) as place, self._saying(name, live):
                async with asyncio.timeout(_LONGEST_SECONDS) as limit:
                    return await self._answer(name, live, partial(self._share, place, limit))
        except TimeoutError:
            return "Timeout"
        except QueryFailedError as error:
            log.warning("the log query %s failed: %s", name.name, error)
            return "Failed"

    async def _share(self, place: Place, limit: asyncio.Timeout) -> None:
        """What it waits for others is not counted."""
        if (ends_at := limit.when()) is None or not self._places.is_wanted(place):
            return
        time = asyncio.get_running_loop().time
        left = ends_at - time()
        limit.reschedule(None)
        await self._places.hand_on(place)
        limit.reschedule(time() + left)

    async def _answer(self, name: Name, live: "_Live", share: Callable[[], Awaitable[None]]) -> QueryStatus:
        query = live.query
        readers = [
            GroupReader(self._store, name.account_id, name.region, group, query.start_ms, query.end_ms)
            for group in query.groups
        ]
        async with self._start_run(query, query.created_ms / 1000) as run:
            async with aclosing(chunks(name.account_id, readers)) as found:
                async for events in found:
                    progress = await run.take(events)
                    statistics = live.query.statistics
                    live.query = replace(
                        live.query,
                        statistics=QueryStatistics(
                            records_matched=progress.matched,
                            records_scanned=statistics.records_scanned + len(events),
                            bytes_scanned=statistics.bytes_scanned
                            + sum(len(event.message.encode("utf-8", "replace")) for event in events),
                        ),
                    )
                    if not progress.wanted:
                        break
                    await share()
            counts: list[int] = []
            async with aclosing(run.end()) as pages:
                async for rows in pages:
                    await self._keep(_page_name(name, query, len(counts)), QueryPage(tuple(rows)))
                    counts.append(len(rows))
            statistics = replace(live.query.statistics, records_matched=run.matched)
            live.query = replace(live.query, pages=tuple(counts), statistics=statistics)
        return "Complete"

    async def _keep(self, name: Name, page: QueryPage) -> None:
        await _gone(self._pages.delete(name))  # of a run of this number that was never heard of again
        await self._pages.insert(name, page)

    @asynccontextmanager
    async def _saying(self, name: Name, live: "_Live") -> AsyncGenerator[None, None]:
        """It runs, and others hear of it, however long a step takes. Where it was stopped meanwhile, it ends."""
        running = replace(live.query, status="Running", runs=live.query.runs + 1, seen_ms=self._now_ms())
        await self._store_state(name, live, running)
        live.query = running

        async def say() -> None:
            try:
                while True:
                    await self._sleep(_SAY_SECONDS)
                    async with live.storing:
                        said = replace(live.query, seen_ms=self._now_ms())
                        await self._store_state(name, live, said)
            except (StaleRevisionError, NotFoundError):
                live.task.cancel()
            except StoreError as error:
                log.warning("the log query %s could not be heard of: %s", name.name, error)

        saying = asyncio.create_task(say())
        try:
            yield
        finally:
            async with live.storing:  # not in the middle: what is stored must be known
                saying.cancel()
            await asyncio.wait((saying,))

    async def _store_state(self, name: Name, live: "_Live", query: LogQuery) -> None:
        """Raises StaleRevisionError where it was stopped meanwhile."""
        await self._records.replace(name, query, previous=live.stored, keeps_due=True)
        live.stored = query

    def _now_ms(self) -> int:
        return int(self._clock.now() * 1000)


class _Live:
    """A query that this process carries out. `stored` is what the store has of it."""

    task: asyncio.Task[None]

    def __init__(self, query: LogQuery) -> None:
        self.query = self.stored = query
        self.storing = asyncio.Lock()


def _page_name(name: Name, query: LogQuery, number: int) -> Name:
    return Name(name.account_id, name.region, name.name, f"{query.runs:04d}-{number:05d}")


async def _gone(deletion: Awaitable[None]) -> None:
    with suppress(NotFoundError):
        await deletion
