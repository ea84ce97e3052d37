"""A runner over a queue in memory: nothing here waits for real time but for the event loop to come round."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from memory_source import MemorySource, SourceGone

from lambent.base.clock import ManualClock
from lambent.event_sources.queue_runner import QueueRunner, Reveal, in_the_clear
from lambent.model.error import AccessDeniedException
from lambent.model.event_source_mapping import EventSourceMapping
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    RecursiveInvocationException,
    TooManyRequestsException,
)


class Function:
    """Answers at once, unless `gate` is closed; `behave` makes the answer, or raises."""

    def __init__(self) -> None:
        self.invocations: list[Invocation] = []
        self.running = 0
        self.most_running = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.behave: Callable[[list[str]], Any] = lambda bodies: None

    @property
    def bodies(self) -> list[list[str]]:
        return [bodies_of(invocation) for invocation in self.invocations]

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        self.invocations.append(invocation)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.gate.wait()
            answer = self.behave(bodies_of(invocation))
        finally:
            self.running -= 1
        if isinstance(answer, InvocationResult):
            return answer
        return InvocationResult(payload=json.dumps(answer).encode(), executed_version="1")


def bodies_of(invocation: Invocation) -> list[str]:
    return [record["body"] for record in json.loads(invocation.payload)["Records"]]


FAILED = InvocationResult(payload=b"{}", executed_version="1", function_error="Unhandled")


class Bench:
    def __init__(
        self, mapping: Any, clock: ManualClock, reveal: Reveal = in_the_clear, **source: Any
    ) -> None:
        self.clock = clock
        self.source = MemorySource(clock, **source)
        self.function = Function()
        self.measured: dict[str, float] = {}
        self.slept: list[float] = []
        self.runner = QueueRunner(
            mapping,
            self.source,
            self.function.invoke,
            clock,
            self._measure,
            reveal=reveal,
            sleep=self._sleep,
        )
        self.runner.start()

    def _measure(self, name: str, value: float) -> None:
        self.measured[name] = self.measured.get(name, 0) + value

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(5000):
            if condition():
                return
            await asyncio.sleep(0)
        raise AssertionError("never")

    async def idle(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)


@pytest.fixture
async def start(mapping_of, clock):
    started: list[Bench] = []

    def make(settings: dict[str, Any] | None = None, **source: Any) -> Bench:
        started.append(Bench(mapping_of(settings=settings or {}), clock, **source))
        return started[-1]

    yield make
    for bench in started:
        bench.function.gate.set()
        bench.source.error = None
        await bench.runner.stop()
        await bench.runner.drain()


async def test_what_is_sent_is_delivered_and_settled(start):
    bench = start()
    bench.source.send("a", "b", "c")
    await bench.until(lambda: bench.source.settled == ["a", "b", "c"])
    assert bench.function.bodies == [["a", "b", "c"]]
    [invocation] = bench.function.invocations
    assert invocation.invoked_arn.endswith(":function:f") and invocation.qualifier is None
    assert bench.measured == {"PolledEventCount": 3, "InvokedEventCount": 3, "DeletedEventCount": 3}


async def test_an_idle_queue_is_one_long_poll(start):
    bench = start()
    await bench.idle()
    polls = bench.source.polls
    await bench.idle()
    assert bench.source.polls == polls == 1


async def test_what_fails_is_not_settled(start):
    bench = start()
    bench.function.behave = lambda bodies: FAILED
    bench.source.send("a")
    await bench.until(lambda: bench.measured.get("FailedInvokeEventCount") == 1)
    assert bench.source.settled == [] and bench.source.waiting() == ["a"] and bench.source.bodies() == []


async def test_reported_failures_stay(start):
    bench = start({"FunctionResponseTypes": ["ReportBatchItemFailures"]})
    bench.function.behave = lambda bodies: {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    bench.source.send("a", "b", "c")
    await bench.until(lambda: bench.source.settled == ["a", "c"])
    assert bench.source.waiting() == ["b"]


async def test_what_no_filter_wants_is_settled_without_an_invocation(start):
    bench = start({"FilterCriteria": {"Filters": [{"Pattern": '{"body": ["b"]}'}]}})
    bench.source.send("a", "b", "c")
    await bench.until(lambda: sorted(bench.source.settled) == ["a", "b", "c"])
    assert bench.function.bodies == [["b"]]
    assert bench.measured["FilteredOutEventCount"] == 2


async def test_nothing_is_polled_before_its_filters_can_be_read(start):
    refusals = [AccessDeniedException("no key"), AccessDeniedException("no key")]

    async def reveal(mapping: EventSourceMapping) -> EventSourceMapping:
        if refusals:
            raise refusals.pop()
        criteria = {"Filters": [{"Pattern": '{"body": ["b"]}'}]}
        return replace(mapping, settings={**mapping.settings, "FilterCriteria": criteria})

    bench = start({}, reveal=reveal)
    bench.source.send("a", "b")
    await bench.until(lambda: sorted(bench.source.settled) == ["a", "b"])
    assert bench.function.bodies == [["b"]] and bench.slept[:2] == [1.0, 2.0]


async def test_no_more_batches_at_once_than_the_mapping_allows(start):
    bench = start({"BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": 2}})
    bench.function.gate.clear()
    bench.source.send(*"abcdefgh")
    await bench.until(lambda: bench.function.running == 2)
    await bench.idle()
    assert bench.function.running == 2
    bench.function.gate.set()
    await bench.until(lambda: len(bench.source.settled) == 8)
    assert bench.function.most_running == 2 and all(len(bodies) == 1 for bodies in bench.function.bodies)


async def test_a_group_has_one_batch_at_a_time_and_groups_run_beside_each_other(start):
    bench = start({"BatchSize": 1}, ordered=True)
    bench.function.gate.clear()
    bench.source.send("a1", "a2", group="a")
    bench.source.send("b1", group="b")
    await bench.until(lambda: bench.function.running == 2)
    await bench.idle()
    assert sorted(bench.function.bodies) == [["a1"], ["b1"]]
    bench.function.gate.set()
    await bench.until(lambda: len(bench.source.settled) == 2)
    bench.source.send("c1", group="c")  # wakes the long poll, as a real queue does when a group is free again
    await bench.until(lambda: len(bench.source.settled) == 4)
    assert [bodies for bodies in bench.function.bodies if bodies[0][0] == "a"] == [["a1"], ["a2"]]


async def test_a_function_that_refuses_is_asked_again_later(start):
    bench = start()
    refusals = iter([True, True, True, False])

    def behave(bodies: list[str]) -> None:
        if next(refusals):
            raise TooManyRequestsException("Rate Exceeded.")

    bench.function.behave = behave
    bench.source.send("a")
    await bench.until(lambda: bench.source.settled == ["a"])
    assert bench.slept == [0.25, 0.5, 1.0]


async def test_a_function_that_refuses_for_too_long_leaves_the_records(start):
    bench = start(hold_seconds=10.0)

    def behave(bodies: list[str]) -> None:
        raise TooManyRequestsException("Rate Exceeded.")

    bench.function.behave = behave
    bench.source.send("a")
    await bench.until(lambda: bench.measured.get("FailedInvokeEventCount") == 1)
    assert bench.source.waiting() == ["a"] and sum(bench.slept) <= 8.0
    assert bench.measured["InvokedEventCount"] == 0


async def test_a_function_that_cannot_take_the_batch_is_not_asked_again(start):
    bench = start()

    def behave(bodies: list[str]) -> None:
        raise InvalidParameterValueException("no")

    bench.function.behave = behave
    bench.source.send("a")
    await bench.until(lambda: bench.measured.get("FailedInvokeEventCount") == 1)
    assert bench.slept == [] and bench.source.waiting() == ["a"]


async def test_a_loop_is_given_up(start):
    bench = start()

    def behave(bodies: list[str]) -> None:
        raise RecursiveInvocationException("loop")

    bench.function.behave = behave
    bench.source.send("a")
    await bench.until(lambda: bench.measured.get("DroppedEventCount") == 1)
    assert bench.source.waiting() == [] and len(bench.function.invocations) == 1


async def test_a_queue_that_is_gone_is_asked_less_and_less(start):
    bench = start()
    bench.source.error = SourceGone("gone")
    bench.source.send("a")
    await bench.until(lambda: len(bench.slept) >= 8)
    assert bench.slept[:8] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    bench.source.error = None
    await bench.until(lambda: bench.source.settled == ["a"])


async def test_stopping_gives_back_what_was_gathered(start):
    bench = start({"BatchSize": 10, "MaximumBatchingWindowInSeconds": 60})
    bench.source.send("a")
    await bench.until(lambda: bench.measured.get("PolledEventCount") == 1)
    await bench.runner.stop()
    assert bench.source.bodies() == ["a"] and bench.function.invocations == []


async def test_draining_waits_for_what_functions_have(start):
    bench = start()
    bench.function.gate.clear()
    bench.source.send("a")
    await bench.until(lambda: bench.function.running == 1)
    await bench.runner.stop()
    draining = asyncio.ensure_future(bench.runner.drain())
    await bench.idle()
    assert not draining.done()
    bench.function.gate.set()
    await draining
    assert bench.source.settled == ["a"]


async def test_draining_in_a_hurry_leaves_the_rest_to_the_queue(start):
    bench = start()
    bench.function.gate.clear()
    bench.source.send("a")
    await bench.until(lambda: bench.function.running == 1)
    await bench.runner.stop()
    await bench.runner.drain(0.0)
    assert bench.function.running == 0 and bench.source.waiting() == ["a"]
