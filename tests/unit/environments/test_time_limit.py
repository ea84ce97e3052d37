import asyncio

import pytest

from lambent.base.clock import ManualClock
from lambent.environments.time_limit import InvocationTimeoutError, TimeLimit

SECONDS = 0.001
"""Of the loop's own time, which only has the timer ring; whether the time is up, the clock says."""


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def limit(clock):
    made = TimeLimit(SECONDS, clock.monotonic)
    yield made
    made.close()


async def rings():
    """Long enough for the timer to ring more than once."""
    await asyncio.sleep(10 * SECONDS)


async def test_who_waits_is_told_when_the_time_is_up(limit, clock):
    waiting = asyncio.get_running_loop().create_future()
    limit.watch(clock.monotonic(), waiting)
    await rings()
    assert not waiting.done()
    clock.advance(2 * SECONDS)
    with pytest.raises(InvocationTimeoutError):
        await waiting


async def test_the_timer_of_one_does_not_end_the_next(limit, clock):
    first, second = (asyncio.get_running_loop().create_future() for _ in range(2))
    limit.watch(clock.monotonic(), first)
    clock.advance(2 * SECONDS)
    first.set_result(None)
    limit.waiting = None
    limit.watch(clock.monotonic(), second)
    await rings()
    assert not second.done()
    clock.advance(2 * SECONDS)
    with pytest.raises(InvocationTimeoutError):
        await second


async def test_an_answer_that_has_come_stays(limit, clock):
    waiting = asyncio.get_running_loop().create_future()
    limit.watch(clock.monotonic(), waiting)
    waiting.set_result("answer")
    clock.advance(2 * SECONDS)
    await rings()
    assert waiting.result() == "answer"
