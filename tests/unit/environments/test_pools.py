import asyncio
import dataclasses
from typing import Any

import pytest

from lambent.base.clock import ManualClock
from lambent.environments.pool import EnvironmentFailedError
from lambent.model.error import AccessDeniedException
from lambent.model.lambda_errors import ServiceException_


class Calls:
    """Invocations of a function that answers each when it is told to, with the sandbox that ran it."""

    def __init__(self, bench: Any, pools: Any, version: Any, invocation: Any) -> None:
        self.bench = bench
        self.pools = pools
        self.version = version
        self._invocation = invocation
        self.ended: list[str] = []
        self.running: dict[str, asyncio.Event] = {}
        bench.on_invoke = self._run

    async def _run(self, bootstrap: Any, payload: bytes) -> None:
        self.running[payload.decode()] = event = asyncio.Event()
        await event.wait()
        await bootstrap.send(19, bootstrap.sandbox.id.encode())

    def start(self, name: str, version: Any = None) -> "asyncio.Task[str]":
        async def call() -> str:
            result = await self.pools.invoke(
                version or self.version, self._invocation(name.encode()), lambda: self.ended.append(name)
            )
            return result.payload.decode()

        return asyncio.create_task(call())

    async def begun(self, *names: str) -> None:
        await self.bench.until(lambda: all(name in self.running for name in names))

    def finish(self, *names: str) -> None:
        for name in names:
            self.running.pop(name).set()

    async def run(self, name: str, version: Any = None) -> str:
        task = self.start(name, version)
        await self.begun(name)
        self.finish(name)
        return await task

    @property
    def pool(self) -> Any:
        (pool,) = self.pools._pools.values()
        return pool


@pytest.fixture
async def calls(bench, version, invocation):
    bench.clock = ManualClock()
    pools = bench.pools()
    yield Calls(bench, pools, version(), invocation)
    for gate in bench.gates.values():
        gate.set()
    await pools.close()


async def test_the_last_used_environment_is_taken_first(calls):
    a, b = calls.start("a"), calls.start("b")
    await calls.begun("a", "b")
    calls.finish("a")
    first = await a
    calls.finish("b")
    last = await b
    assert first != last
    assert [await calls.run("c"), await calls.run("d")] == [last, last]


async def test_who_waits_gets_the_one_that_becomes_free_if_that_is_sooner(calls, bench):
    a = calls.start("a")
    await calls.begun("a")
    bench.gates["create"] = asyncio.Event()
    b = calls.start("b")
    await asyncio.sleep(0.01)
    calls.finish("a")
    await calls.begun("b")
    calls.finish("b")
    assert await b == await a == "sandbox-1"
    bench.gates["create"].set()
    await bench.until(lambda: calls.pool.size == 2 and calls.pool.starting == 0)
    assert len(calls.pool._idle) == 2


async def test_callers_are_served_in_the_order_of_their_coming(calls, bench):
    a = calls.start("a")
    await calls.begun("a")
    bench.gates["create"] = asyncio.Event()
    tasks = [calls.start(name) for name in "bcd"]
    await asyncio.sleep(0)
    for before, after in ("ab", "bc", "cd"):
        calls.finish(before)
        await calls.begun(after)
        assert list(calls.running) == [after]
    calls.finish("d")
    assert await asyncio.gather(a, *tasks) == ["sandbox-1"] * 4


async def test_every_caller_whose_environment_cannot_be_made_is_told(calls, bench):
    bench.gates["create"] = asyncio.Event()
    tasks = [calls.start(name) for name in "abc"]
    bench.failures["create"] = AccessDeniedException("no")
    await asyncio.sleep(0.01)
    bench.gates["create"].set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [AccessDeniedException] * 3
    assert calls.ended == ["a", "b", "c"]
    assert calls.pools.count() == 0


async def test_a_failed_start_fails_nobody_for_whom_another_is_on_its_way(calls, bench, sandbox_error):
    a = calls.start("a")
    await calls.begun("a")
    gate = bench.gates["create"] = asyncio.Event()
    b, c = calls.start("b"), calls.start("c")
    await asyncio.sleep(0.01)
    calls.finish("a")
    await calls.begun("b")  # took a's; the two that are being made are for c
    bench.next_failures = [sandbox_error]
    gate.set()
    await calls.begun("c")
    calls.finish("b", "c")
    assert await asyncio.gather(a, b, c) == ["sandbox-1", "sandbox-1", "sandbox-2"]


async def test_a_host_that_makes_no_sandbox_is_a_service_exception(calls, bench, sandbox_error, caplog):
    bench.failures["create"] = sandbox_error
    with pytest.raises(EnvironmentFailedError) as raised:
        await calls.start("a")
    assert (raised.value.code, raised.value.status) == ("ServiceException", 500)
    assert "the kernel said no" in caplog.text
    assert calls.ended == ["a"]
    bench.failures.clear()
    assert await calls.run("b")


async def test_an_unexpected_failure_of_the_preparation_hangs_nobody(calls, bench):
    bench.prepare_error = OSError("disk")
    with pytest.raises(EnvironmentFailedError):
        await calls.start("a")
    assert calls.pools.count() == 0


async def test_our_own_failure_in_a_second_init_is_a_service_exception(calls, bench, sandbox_error):
    async def leave(bootstrap: Any) -> None:
        bench.failures["create"] = sandbox_error
        bootstrap.exit(code=1)

    bench.on_init = leave
    with pytest.raises(EnvironmentFailedError):
        await calls.start("a")
    await bench.until(lambda: not bench.backend.alive and calls.pools.count() == 0 and bench.released == 1)
    assert calls.ended == ["a"]


async def test_our_own_failure_after_the_function_was_called_does_not_say_that_nothing_was_run(
    calls, bench, sandbox_error
):
    async def lose(bootstrap: Any, payload: bytes) -> None:
        bootstrap.sandbox.exited.set_exception(sandbox_error)
        bootstrap.exit()

    bench.on_invoke = lose
    with pytest.raises(ServiceException_):
        await calls.start("a")
    assert calls.ended == ["a"]
    await bench.until(lambda: not bench.backend.alive)


# Callers who leave


async def test_a_caller_who_leaves_while_waiting_leaves_the_environment_to_others(calls, bench):
    bench.gates["create"] = asyncio.Event()
    a = calls.start("a")
    await bench.until(lambda: bench.backend.held)
    a.cancel()
    with pytest.raises(asyncio.CancelledError):
        await a
    assert calls.ended == ["a"]
    bench.gates["create"].set()
    await bench.until(lambda: len(calls.pool._idle) == 1)
    assert await calls.run("b") == "sandbox-1"


async def test_a_caller_who_leaves_in_the_moment_it_is_served_loses_no_environment(calls, bench):
    bench.gates["create"] = asyncio.Event()
    a = calls.start("a")
    await bench.until(lambda: bench.backend.held)
    environment = await _spare(calls)
    calls.pool._offer(environment)
    a.cancel()
    with pytest.raises(asyncio.CancelledError):
        await a
    assert calls.pool._idle == [environment]
    assert calls.ended == ["a"]


async def test_a_caller_who_leaves_in_the_moment_it_fails_is_cancelled_all_the_same(calls, bench):
    bench.gates["create"] = asyncio.Event()
    a = calls.start("a")
    await bench.until(lambda: bench.backend.held)
    calls.pool._waiting.popleft().set_exception(AccessDeniedException("no"))
    a.cancel()
    with pytest.raises(asyncio.CancelledError):
        await a


async def test_a_caller_who_leaves_in_the_moment_another_is_served_breaks_nothing(calls, bench):
    a = calls.start("a")
    await calls.begun("a")
    bench.gates["create"] = asyncio.Event()
    b = calls.start("b")
    await bench.until(lambda: bench.backend.held)
    environment = await _spare(calls)
    b.cancel()  # its future is cancelled now, and still in the line when the environment is offered
    calls.pool._offer(environment)
    with pytest.raises(asyncio.CancelledError):
        await b
    assert environment in calls.pool._idle
    calls.finish("a")
    await a


async def _spare(calls: Calls) -> Any:
    environment = calls.bench.environment()
    gates, calls.bench.gates = calls.bench.gates, {}
    await environment.start()
    calls.bench.gates = gates
    return environment


async def test_an_invocation_without_caller_keeps_its_lease_and_environment_until_it_is_over(calls, bench):
    a = calls.start("a")
    await calls.begun("a")
    a.cancel()
    with pytest.raises(asyncio.CancelledError):
        await a
    assert calls.ended == []
    assert calls.pool.busy == 1
    calls.finish("a")
    await bench.until(lambda: calls.ended == ["a"])
    assert await calls.run("b") == "sandbox-1"


async def test_without_caller_during_a_second_init_nothing_stays_busy(calls, bench):
    second = asyncio.Event()

    async def fail_once(bootstrap: Any) -> None:
        if len(bench.backend.made) == 1:
            bootstrap.exit(code=1)
        else:
            await second.wait()
            await bootstrap.send(17)

    bench.on_init = fail_once
    a = calls.start("a")
    await bench.until(lambda: len(bench.backend.made) == 2)
    a.cancel()
    with pytest.raises(asyncio.CancelledError):
        await a
    second.set()
    await calls.begun("a")
    calls.finish("a")
    await bench.until(lambda: calls.ended == ["a"])
    assert (calls.pool.busy, len(calls.pool._idle)) == (0, 1)


# Versions


async def test_a_changed_function_gets_new_environments_and_the_old_end_when_they_are_done(calls, bench):
    a = calls.start("a")
    await calls.begun("a")
    changed = dataclasses.replace(calls.version, revision_id="2")
    assert await calls.run("b", changed) == "sandbox-2"
    calls.finish("a")
    assert await a == "sandbox-1"
    await bench.until(lambda: len(bench.backend.alive) == 1)
    assert calls.pools.count() == 1


async def test_idle_environments_of_a_changed_function_end_at_once(calls, bench):
    await calls.run("a")
    changed = dataclasses.replace(calls.version, revision_id="2")
    await calls.run("b", changed)
    await bench.until(lambda: {sandbox.id for sandbox in bench.backend.alive} == {"sandbox-2"})


async def test_who_waits_for_a_start_is_served_although_the_function_changes_meanwhile(calls, bench):
    bench.gates["create"] = asyncio.Event()
    a = calls.start("a")
    await bench.until(lambda: bench.backend.held)
    calls.pool.retire()
    bench.gates["create"].set()
    await calls.begun("a")
    calls.finish("a")
    assert await a == "sandbox-1"
    await bench.until(lambda: not bench.backend.alive)
    assert len(bench.backend.made) == 1


async def test_the_same_version_read_again_keeps_its_environments(calls):
    await calls.run("a")
    assert await calls.run("b", dataclasses.replace(calls.version)) == "sandbox-1"


async def test_review_ends_what_is_deleted_and_keeps_what_is_current(calls, bench):
    await calls.run("a")

    async def current(function: Any, version: str) -> Any:
        return calls.version

    await calls.pools.review(calls.version.function, current)
    assert calls.pools.has(calls.version.function)

    async def gone(function: Any, version: str) -> None:
        return None

    await calls.pools.review(calls.version.function, gone)
    assert not calls.pools.has(calls.version.function)
    await bench.until(lambda: not bench.backend.alive)


async def test_a_function_made_anew_under_the_same_name_shares_nothing_with_the_old(calls, bench):
    old = calls.start("old")
    await calls.begun("old")
    new = dataclasses.replace(calls.version, revision_id="2", last_modified=2.0)

    async def current(function: Any, version: str) -> Any:
        return new

    await calls.pools.review(new.function, current)
    assert await calls.run("new", new) == "sandbox-2"
    calls.finish("old")
    await old
    await bench.until(lambda: {sandbox.id for sandbox in bench.backend.alive} == {"sandbox-2"})
    assert await calls.run("again", new) == "sandbox-2"


# Lifetimes


async def test_the_idle_are_frozen_then_ended(calls, bench):
    await calls.run("a")
    (sandbox,) = bench.backend.made
    calls.pool.sweep()
    assert "freeze" not in sandbox.steps
    assert calls.pool.restless
    bench.clock.advance(2)
    calls.pool.sweep()
    assert sandbox.steps[-1] == "freeze"
    assert not calls.pool.restless
    bench.clock.advance(99)
    calls.pool.sweep()
    await bench.until(lambda: not bench.backend.alive)
    assert calls.pool.deserted


async def test_the_old_and_the_dead_are_not_kept(calls, bench):
    await calls.run("a")
    bench.backend.made[0]._bootstrap.exit(code=0)
    calls.pool.sweep()
    await bench.until(lambda: not bench.backend.alive)
    for _ in range(12):
        assert await calls.run("b") == "sandbox-2"
        bench.clock.advance(90)
        calls.pool.sweep()
    assert not calls.pool._idle


async def test_a_lost_environment_is_replaced_for_who_waits(calls, bench):
    a = calls.start("a")
    await calls.begun("a")
    bench.backend.made[0]._bootstrap.exit(code=1)
    await a
    assert await calls.run("b") == "sandbox-2"


async def test_pools_that_nobody_uses_are_forgotten_and_one_that_fails_stops_no_other(
    bench, version, invocation, caplog
):
    pools = bench.pools(freeze_after=0.001, idle_expiry=0.002)
    other = version(version="7")
    for one in (version(), other):
        await pools.invoke(one, invocation(), lambda: None)
    broken, fine = pools._pools.values()
    broken.sweep = _fail
    running = asyncio.create_task(pools.run())
    await bench.until(lambda: fine not in pools._pools.values() and "were not looked after" in caplog.text)
    assert not running.done()
    running.cancel()
    await pools.close()


def _fail() -> None:
    raise RuntimeError("a bug")


async def test_closing_ends_the_idle_and_fails_who_waits(calls, bench, monkeypatch):
    monkeypatch.setattr("lambent.environments.pools._CLOSE_SECONDS", 0.02)
    await calls.run("a")
    bench.gates["create"] = asyncio.Event()
    b, c = calls.start("b"), calls.start("c")
    await calls.begun("b")
    calls.finish("b")
    await b
    c2 = calls.start("d")
    await calls.begun("c")
    await asyncio.sleep(0)
    await calls.pools.close()
    with pytest.raises(EnvironmentFailedError):
        await c2
    calls.finish("c")
    await c
