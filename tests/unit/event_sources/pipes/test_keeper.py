"""Pipes are made as the store wants them."""

from dataclasses import replace

import pytest
from memory_records import MemoryDeliveries, MemoryRecords

from lambent.base.tasks import Tasks
from lambent.event_sources.pipes.keeper import Keeper
from lambent.model.pipe import Pipe
from lambent.store.ports.named_records import Name

NAME = Name("111122223333", "eu-west-1", "", "p")
PIPE = Pipe(
    account_id="111122223333",
    region="eu-west-1",
    name="p",
    state="CREATING",
    settles_at=0.0,
    source="arn:aws:sqs:eu-west-1:111122223333:q",
    target="arn:aws:lambda:eu-west-1:111122223333:function:f",
    role_arn="r",
    created_at=1.0,
    modified_at=1.0,
)


class Runner:
    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.life: list[str] = []

    def start(self) -> None:
        self.life.append("started")

    async def stop(self) -> None:
        self.life.append("stopped")

    async def drain(self, seconds: float | None = None) -> None:
        self.life.append("drained")


class Bench:
    def __init__(self, clock) -> None:
        self.records = MemoryRecords(MemoryDeliveries())
        self.runners: list[Runner] = []
        self.clock = clock
        self.keeper = Keeper(self.records, self.runner, clock)
        self.ending = Tasks("test")

    def runner(self, pipe: Pipe) -> Runner:
        self.runners.append(Runner(pipe))
        return self.runners[-1]

    def want(self, **changes) -> None:
        self.records.values[NAME] = replace(self.records.values.get(NAME, PIPE), **changes)

    async def look(self) -> float:
        seconds = await self.keeper.look(self.ending)
        await self.ending.finish(1)
        return seconds

    @property
    def state(self) -> str | None:
        pipe = self.records.values.get(NAME)
        return pipe and pipe.state


@pytest.fixture
def bench(clock) -> Bench:
    return Bench(clock)


async def test_a_pipe_that_is_wanted_runs_and_shows_it_when_its_change_is_over(bench):
    bench.want(settles_at=bench.clock.now() + 5)
    assert await bench.look() == 5 and bench.state == "CREATING"
    assert bench.runners[0].life == ["started"]
    bench.clock.advance(5)
    await bench.look()
    assert bench.state == "RUNNING" and len(bench.runners) == 1


async def test_one_that_is_not_wanted_stops(bench):
    bench.want()
    await bench.look()
    bench.want(desired_state="STOPPED", state="STOPPING")
    await bench.look()
    assert bench.runners[0].life == ["started", "stopped", "drained"] and bench.state == "STOPPED"
    bench.want(desired_state="RUNNING", state="STARTING")
    await bench.look()
    assert bench.runners[1].life == ["started"] and bench.state == "RUNNING"


async def test_what_changes_its_work_gets_another_runner_and_nothing_else_does(bench):
    bench.want()
    await bench.look()
    bench.want(description="other", tags={"a": "b"}, state="UPDATING")
    await bench.look()
    assert len(bench.runners) == 1
    bench.want(target="t2", state="UPDATING")
    await bench.look()
    assert bench.runners[0].life[1:] == ["stopped", "drained"] and bench.runners[1].pipe.target == "t2"


async def test_what_is_deleted_is_gone_when_it_has_stopped(bench):
    bench.want()
    await bench.look()
    bench.want(desired_state="DELETED", state="DELETING")
    await bench.look()
    assert bench.state is None and bench.runners[0].life[1] == "stopped"


async def test_one_that_was_changed_meanwhile_is_looked_at_again(bench):
    bench.want()
    bench.records.conflicts = 1
    assert await bench.look() == 0
    await bench.look()
    assert bench.state == "RUNNING"
