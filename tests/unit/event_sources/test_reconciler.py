import asyncio
from dataclasses import replace
from typing import Any

import pytest
from memory_mappings import MemoryEventSourceMappingStore

from lambent.base.clock import ManualClock
from lambent.event_sources.reconciler import Reconciler
from lambent.model.event_source_mapping import EventSourceMapping


class Runner:
    def __init__(self, mapping: EventSourceMapping) -> None:
        self.mapping = mapping
        self.life: list[str] = []
        self.drained = asyncio.Event()
        self.drained.set()

    def start(self) -> None:
        self.life.append("started")

    async def stop(self) -> None:
        self.life.append("stopped")

    async def drain(self, seconds: float | None = None) -> None:
        await self.drained.wait()
        self.life.append("drained")


class Bench:
    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.store = MemoryEventSourceMappingStore()
        self.runners: list[Runner] = []
        self.start()

    def start(self) -> None:
        """Also again, as after a crash."""
        self.reconciler = Reconciler(self.store, self._runner, self.clock, sleep=self._sleep)

    def _runner(self, mapping: EventSourceMapping) -> Runner:
        self.runners.append(Runner(mapping))
        return self.runners[-1]

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    async def put(self, mapping: EventSourceMapping) -> None:
        self.store.mappings[mapping.account_id, mapping.region, mapping.uuid] = mapping
        self.reconciler.wake(mapping)
        for _ in range(50):
            await asyncio.sleep(0)

    @property
    def states(self) -> list[str]:
        return [mapping.state for mapping in self.store.mappings.values()]


@pytest.fixture
async def bench(clock):
    bench = Bench(clock)
    yield bench
    for runner in bench.runners:
        runner.drained.set()
    await bench.reconciler.close()


async def test_what_is_created_runs_and_is_enabled_when_it_may_be(bench, mapping_of):
    await bench.put(mapping_of(settles_at=bench.clock.now() + 5))
    assert [runner.life for runner in bench.runners] == [["started"]]
    [mapping] = bench.store.mappings.values()
    assert mapping.state == "Enabled" and mapping.last_modified == bench.clock.now()
    assert mapping.revision_id != "r1"


async def test_what_is_created_disabled_does_not_run(bench, mapping_of):
    await bench.put(mapping_of(enabled=False))
    assert bench.runners == [] and bench.states == ["Disabled"]


async def test_a_change_replaces_the_runner_and_a_tag_does_not(bench, mapping_of):
    await bench.put(mapping_of())
    await bench.put(mapping_of(tags={"a": "1"}, state="Updating", revision_id="r2"))
    assert [runner.life for runner in bench.runners] == [["started"]]
    await bench.put(mapping_of(settings={"BatchSize": 1}, state="Updating", revision_id="r3"))
    assert [runner.life for runner in bench.runners] == [["started", "stopped", "drained"], ["started"]]
    assert bench.runners[1].mapping.settings["BatchSize"] == 1 and bench.states == ["Enabled"]


async def test_a_change_does_not_wait_for_what_functions_have(bench, mapping_of):
    await bench.put(mapping_of())
    bench.runners[0].drained.clear()
    await bench.put(mapping_of(settings={"BatchSize": 1}, state="Updating", revision_id="r2"))
    assert [runner.life for runner in bench.runners] == [["started", "stopped"], ["started"]]
    assert bench.states == ["Enabled"]


async def test_disabled_is_said_when_nothing_runs_any_more(bench, mapping_of):
    await bench.put(mapping_of())
    [runner] = bench.runners
    runner.drained.clear()
    await bench.put(mapping_of(enabled=False, state="Disabling", revision_id="r2"))
    assert bench.states == ["Disabling"]
    runner.drained.set()
    await bench.put(mapping_of(enabled=False, state="Disabling", revision_id="r2"))
    assert bench.states == ["Disabled"]


async def test_what_is_deleted_stops_and_goes(bench, mapping_of):
    await bench.put(mapping_of())
    await bench.put(mapping_of(enabled=False, state="Deleting", revision_id="r2"))
    assert bench.runners[0].life == ["started", "stopped", "drained"] and bench.states == []


@pytest.mark.parametrize(
    ("state", "enabled", "runs", "then"),
    [
        ("Creating", True, True, ["Enabled"]),
        ("Enabled", True, True, ["Enabled"]),
        ("Updating", True, True, ["Enabled"]),
        ("Enabling", True, True, ["Enabled"]),
        ("Disabling", False, False, ["Disabled"]),
        ("Disabled", False, False, ["Disabled"]),
        ("Deleting", False, False, []),
    ],
)
async def test_a_restart_goes_on_wherever_it_was(bench, mapping_of, state, enabled, runs, then):
    await bench.store.insert(mapping_of(state=state, enabled=enabled))
    await bench.reconciler.open()
    for _ in range(50):
        await asyncio.sleep(0)
    assert bool(bench.runners) is runs and bench.states == then


async def test_a_change_in_between_is_seen(bench, mapping_of):
    first: Any = mapping_of(settles_at=bench.clock.now() + 5)
    changed = replace(first, tags={"a": "1"}, revision_id="r2")

    async def sleep(seconds: float) -> None:
        bench.clock.advance(seconds)
        bench.store.mappings[first.account_id, first.region, first.uuid] = changed

    bench.reconciler._sleep = sleep
    await bench.put(first)
    [mapping] = bench.store.mappings.values()
    assert mapping.state == "Enabled" and mapping.tags == {"a": "1"}
    assert len(bench.runners) == 1


async def test_closing_stops_every_runner(bench, mapping_of):
    for uuid in ("u1", "u2"):
        await bench.put(mapping_of(uuid, function_name=uuid))
    await bench.reconciler.close()
    assert [runner.life for runner in bench.runners] == [["started", "stopped", "drained"]] * 2
