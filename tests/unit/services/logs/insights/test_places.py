"""Whose query runs next."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from lambent.base.clock import ManualClock
from lambent.services.logs.insights.places import Place, Places


class Running:
    """Queries that run until they are told to end, and say where they are."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.places = Places(2, self.clock)
        self.place: dict[str, Place] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def begin(self, *names: str) -> None:
        for name in names:
            self.tasks[name] = asyncio.create_task(self._run(name))
            await settled()

    async def _run(self, name: str) -> None:
        async with self.places.take(name[0]) as place:
            self.place[name] = place
            await asyncio.Event().wait()

    async def end(self, name: str) -> None:
        self.tasks.pop(name).cancel()
        await settled()
        self.place.pop(name, None)

    async def slice_over(self) -> None:
        """Everybody who runs looks once whether somebody else is to."""
        self.clock.advance(1.0)
        for name in self.running:
            if self.places.is_wanted(self.place[name]):
                task = asyncio.create_task(self.places.hand_on(self.place[name]))
                self.tasks[f"{name} waits"] = task
                await settled()

    @property
    def running(self) -> list[str]:
        return sorted(name for name, place in self.place.items() if place.running)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def queries() -> AsyncGenerator[Running, None]:
    running = Running()
    yield running
    for task in running.tasks.values():
        task.cancel()


async def test_of_one_account_two_run_and_no_more_are_begun(queries: Running) -> None:
    await queries.begin("a1", "a2", "a3")
    assert queries.running == ["a1", "a2"]
    await queries.slice_over()
    assert queries.running == ["a1", "a2"]
    await queries.end("a1")
    assert queries.running == ["a2", "a3"]


async def test_another_account_waits_for_a_slice_and_not_for_a_query(queries: Running) -> None:
    await queries.begin("a1", "a2", "a3", "b1", "b2")
    assert queries.running == ["a1", "a2"]
    await queries.slice_over()
    assert queries.running == ["a2", "b1"]
    await queries.slice_over()
    assert queries.running == ["a2", "b1"]  # as many as the other: nobody is to give way
    await queries.end("b1")
    assert queries.running == ["a2", "b2"]
    await queries.end("b2")
    assert queries.running == ["a1", "a2"]


async def test_with_more_accounts_than_places_each_has_its_turn(queries: Running) -> None:
    await queries.begin("a1", "b1", "c1")
    seen = []
    for _ in range(6):
        await queries.slice_over()
        seen.append(tuple(queries.running))
    assert set(seen) == {("a1", "b1"), ("a1", "c1"), ("b1", "c1")}


async def test_who_gives_up_waiting_takes_nobodys_place(queries: Running) -> None:
    await queries.begin("a1", "a2", "b1", "c1")
    await queries.end("b1")
    await queries.end("a1")
    await queries.begin("d1")
    assert queries.running == ["a2", "c1"]
    await queries.end("a2")
    assert queries.running == ["c1", "d1"]
