"""The life of a query: started, answered, stopped, left by who carried it out, forgotten."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from memory_records import MemoryDeliveries, MemoryRecords

from lambent.base.clock import ManualClock
from lambent.model.log_query import LogQuery, Row
from lambent.services.logs.insights.errors import QueryFailedError
from lambent.services.logs.insights.process import Progress, in_process
from lambent.services.logs.insights.queries import Queries, TooManyQueriesError
from lambent.services.logs.insights.reading import GroupReader, chunks
from lambent.services.logs.insights.record import Event
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.logs import LogEvent, LogStore
from lambent.store.ports.named_records import Name

NAME = Name("1", "r", "", "q")
QUERY = LogQuery(text="", asked="", groups=("/a", "/b"), start_ms=0, end_ms=100, limit=None, created_ms=0)
EVENTS = {
    "/a": [LogEvent(time, 1, f"a{time}", "s", time) for time in range(0, 90, 3)],
    "/b": [LogEvent(time, 1, f"b{time}", "s", time) for time in range(0, 90, 7)],
}


class Logs:
    """As much of LogStore as queries use."""

    async def read(self, account_id: str, region: str, group: str, **asked: Any) -> Sequence[LogEvent]:
        assert asked["descending"]
        before = asked["before"] or (asked["end_ms"], 0)
        found = [event for event in EVENTS[group] if (event.timestamp_ms, event.id) < before]
        return found[::-1][: asked["limit"]]


class EchoRun:
    """Answers the messages of the events that it is given."""

    def __init__(self, gate: asyncio.Event, fails: bool) -> None:
        self._gate, self._fails = gate, fails
        self.matched = 0
        self._messages: list[str] = []

    async def take(self, events: Sequence[Event]) -> Progress:
        await self._gate.wait()
        if self._fails:
            raise QueryFailedError("no")
        self._messages += [event.message for event in events]
        self.matched += len(events)
        return Progress(self.matched, True)

    async def end(self) -> AsyncGenerator[Sequence[Row], None]:
        for at in range(0, len(self._messages), 20):
            yield [(("@message", message),) for message in self._messages[at : at + 20]]


class World:
    def __init__(self) -> None:
        self.clock = ManualClock(1000.0)
        self.records = MemoryRecords(MemoryDeliveries())
        self.pages = MemoryRecords(MemoryDeliveries())
        self.gate = asyncio.Event()
        self.fails = False
        self.said = asyncio.Event()
        self.begun = 0

    def node(self) -> Queries:
        """A server over the same records."""

        @asynccontextmanager
        async def start_run(query: LogQuery, now: float) -> AsyncIterator[EchoRun]:
            self.begun += 1
            yield EchoRun(self.gate, self.fails)

        return Queries(
            self.records,
            self.pages,
            cast(LogStore, Logs()),
            self.clock,
            start_run=start_run,
            sleep=self._sleep,
            quick_seconds=0,
        )

    async def _sleep(self, seconds: float) -> None:
        if seconds == 3600:  # until it is looked again for what is to be forgotten
            raise asyncio.CancelledError
        await self.said.wait()
        self.said.clear()


@pytest.fixture
def world() -> World:
    return World()


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("not within a thousand turns")


def stored(world: World, name: Name = NAME) -> LogQuery:
    query = world.records.values[name]
    assert isinstance(query, LogQuery)
    return query


async def messages(queries: Queries, start: int = 0) -> list[str]:
    query = await queries.get(NAME)
    assert query is not None
    return [row[0][1] async for rows in queries.rows(NAME, query, start) for row in rows]


async def test_it_is_on_disk_then_running_then_complete(world: World) -> None:
    queries = world.node()
    await queries.start(NAME, QUERY)
    assert stored(world).status in ("Scheduled", "Running")
    await until(lambda: stored(world).status == "Running")
    world.gate.set()
    await until(lambda: stored(world).status == "Complete")
    found = stored(world)
    expected = sorted(EVENTS["/a"] + EVENTS["/b"], key=lambda one: (-one.timestamp_ms, one.message))
    assert sorted(await messages(queries)) == sorted(one.message for one in expected)
    assert [int(message[1:]) for message in await messages(queries)] == [one.timestamp_ms for one in expected]
    assert await messages(queries, start=41) == (await messages(queries))[41:]
    assert found.pages == (20, 20, 3)
    assert found.statistics.records_scanned == found.statistics.records_matched == 43
    assert found.statistics.bytes_scanned == sum(len(one.message) for one in expected)
    assert await queries.all("1", "r") == [(NAME, found)]


async def test_one_that_fails_says_so(world: World) -> None:
    world.fails = True
    world.gate.set()
    await world.node().start(NAME, QUERY)
    await until(lambda: stored(world).status == "Failed")


async def test_two_run_at_a_time_and_a_hundred_wait(world: World) -> None:
    queries = world.node()
    names = [replace(NAME, name=str(number)) for number in range(100)]
    for name in names:
        await queries.start(name, QUERY)
    await until(lambda: world.begun == 2)
    with pytest.raises(TooManyQueriesError):
        await queries.start(NAME, QUERY)
    await queries.start(replace(NAME, account_id="2"), QUERY)
    assert [stored(world, name).status for name in names].count("Scheduled") == 98
    await queries.close()


async def test_a_stopped_one_stays_stopped(world: World) -> None:
    queries = world.node()
    await queries.start(NAME, QUERY)
    await until(lambda: world.begun == 1)
    assert await queries.stop(NAME)
    world.gate.set()
    await asyncio.sleep(0)
    assert stored(world).status == "Cancelled"
    assert not await queries.stop(NAME)
    with pytest.raises(NotFoundError):
        await queries.stop(replace(NAME, name="other"))


async def test_one_can_be_stopped_through_another_node(world: World) -> None:
    first, second = world.node(), world.node()
    await first.start(NAME, QUERY)
    await until(lambda: world.begun == 1)
    assert await second.stop(NAME)
    world.said.set()
    await until(lambda: not first.unfinished)
    assert stored(world).status == "Cancelled"


async def test_one_that_runs_is_heard_of_however_long_a_step_takes(world: World) -> None:
    first, second = world.node(), world.node()
    await first.start(NAME, QUERY)
    await until(lambda: world.begun == 1)
    world.clock.advance(9)
    world.said.set()
    await until(lambda: stored(world).seen_ms == 1_009_000)
    world.clock.advance(9)
    query = await second.get(NAME)
    assert query is not None
    assert query.status == "Running"
    assert not second.unfinished
    world.gate.set()
    await until(lambda: stored(world).status == "Complete")


async def test_one_that_was_left_is_begun_again_by_who_asks_for_it(world: World) -> None:
    first, second = world.node(), world.node()
    await first.start(NAME, QUERY)
    await until(lambda: world.begun == 1)
    await first.close()
    assert stored(world).status == "Running"
    query = await second.get(NAME)
    assert query is not None
    assert query.status == "Running"
    assert world.begun == 1  # it may yet be heard of
    world.clock.advance(60)
    query = await second.get(NAME)
    assert query is not None
    assert query.status == "Scheduled"
    world.gate.set()
    await until(lambda: stored(world).status == "Complete")
    assert world.begun == 2
    assert len(await messages(second)) == 43


async def test_it_is_forgotten_after_a_week_with_its_results(world: World) -> None:
    queries = world.node()
    world.gate.set()
    await queries.start(NAME, QUERY)
    await until(lambda: stored(world).status == "Complete")
    assert len(world.pages.values) == 3
    with pytest.raises(asyncio.CancelledError):
        await queries.forget()
    assert len(world.pages.values) == 3
    world.clock.advance(7 * 24 * 3600 + 1)
    with pytest.raises(asyncio.CancelledError):
        await queries.forget()
    assert world.records.values == world.pages.values == {}


async def test_events_are_read_in_chunks_that_keep_the_order_of_all_groups() -> None:
    readers = [GroupReader(cast(LogStore, Logs()), "1", "r", group, 0, 100) for group in EVENTS]
    found = [event async for chunk in chunks("1", readers) for event in chunk]
    assert len(found) == 43
    times = [event.timestamp_ms for event in found]
    assert times == sorted(times, reverse=True)


async def test_no_process_is_begun_for_no_events() -> None:
    async with in_process(replace(QUERY, text="stats count(*) as n"), 0) as run:
        assert [page async for page in run.end()] == [((("n", "0"),),)]
    async with in_process(replace(QUERY, text="fields a"), 0) as run:
        assert [page async for page in run.end()] == []
