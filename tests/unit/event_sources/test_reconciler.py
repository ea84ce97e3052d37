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


class Shares:
    """All is this node's, unless it is said to be another's."""

    def __init__(self) -> None:
        self.others: set[str] = set()
        self.held_by_others: set[str] = set()
        self.held: set[str] = set()

    def is_mine(self, name: str) -> bool:
        return name not in self.others

    async def take(self, name: str) -> bool:
        if name in self.others | self.held_by_others:
            return False
        self.held.add(name)
        return True

    async def give_up(self, name: str) -> None:
        self.held.discard(name)


class Bench:
    def __init__(self, clock: ManualClock) -> None:
        self.shares = Shares()
        self.clock = clock
        self.store = MemoryEventSourceMappingStore()
        self.runners: list[Runner] = []
        self.start()

    def start(self) -> None:
        """Also again, as after a crash."""
        self.reconciler = Reconciler(self.store, self._runner, self.clock, self.shares, sleep=self._sleep)

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


async def settled():
    for _ in range(50):
        await asyncio.sleep(0)


async def test_what_another_node_runs_does_not_run_here_and_is_settled_all_the_same(bench, mapping_of):
    mapping = mapping_of(settles_at=bench.clock.now())
    bench.shares.others.add(f"mapping {mapping.uuid}")
    await bench.put(mapping)
    assert bench.runners == [] and bench.states == ["Enabled"]


async def test_a_mapping_moves_when_the_nodes_change(bench, mapping_of):
    mapping = mapping_of()
    name = f"mapping {mapping.uuid}"
    await bench.put(mapping)
    assert bench.shares.held == {name}
    bench.shares.others.add(name)
    bench.reconciler.review()
    await settled()
    assert [runner.life for runner in bench.runners] == [["started", "stopped", "drained"]]
    assert bench.shares.held == set()
    bench.shares.others.clear()
    bench.reconciler.review()
    await settled()
    assert [runner.life for runner in bench.runners][1:] == [["started"]]


async def test_a_mapping_is_begun_once_the_one_who_ran_it_has_stopped(bench, mapping_of):
    mapping = mapping_of()
    name = f"mapping {mapping.uuid}"
    bench.shares.held_by_others.add(name)
    await bench.put(mapping)
    bench.reconciler.review()
    await settled()
    assert bench.runners == []
    bench.shares.held_by_others.clear()
    bench.reconciler.review()
    await settled()
    assert [runner.life for runner in bench.runners] == [["started"]]


async def test_who_is_no_member_any_more_stops(bench, mapping_of):
    mapping = mapping_of()
    await bench.put(mapping)
    bench.shares.held_by_others.add(f"mapping {mapping.uuid}")
    bench.reconciler.lapsed()
    await settled()
    assert bench.runners[0].life == ["started", "stopped", "drained"]


async def test_what_another_node_has_written_is_seen(bench, mapping_of):
    mapping = mapping_of()
    bench.store.mappings[mapping.account_id, mapping.region, mapping.uuid] = mapping
    await bench.reconciler.changed(f"{mapping.account_id}/{mapping.region}/{mapping.uuid}")
    await settled()
    assert [runner.life for runner in bench.runners] == [["started"]]
