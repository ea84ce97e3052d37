"""Waiting for messages: nobody is woken in vain, nobody is forgotten."""

import asyncio

import pytest

from lambent.services.sqs.waiters import Waiters

FOREVER = 3600.0


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def waiters() -> Waiters:
    return Waiters()


async def test_one_message_wakes_one_who_waited_the_longest(waiters: Waiters) -> None:
    first, second = (asyncio.ensure_future(waiters.wait(1, waiters.mark(1), FOREVER)) for _ in range(2))
    await settle()
    waiters.wake(1)
    await settle()
    assert (first.done(), second.done()) == (True, False)
    waiters.wake(1)
    await second


async def test_what_came_since_the_mark_is_not_missed(waiters: Waiters) -> None:
    mark = waiters.mark(1)
    waiters.wake(1)
    await waiters.wait(1, mark, FOREVER)


async def test_another_queue_wakes_nobody(waiters: Waiters) -> None:
    waiting = asyncio.ensure_future(waiters.wait(1, waiters.mark(1), FOREVER))
    await settle()
    waiters.wake(2)
    await settle()
    assert not waiting.done()
    waiters.wake_all(1)
    await waiting


async def test_who_is_cancelled_when_woken_passes_it_on(waiters: Waiters) -> None:
    first, second = (asyncio.ensure_future(waiters.wait(1, waiters.mark(1), FOREVER)) for _ in range(2))
    await settle()
    waiters.wake(1)
    first.cancel()
    await settle()
    assert first.cancelled()
    await second


async def test_who_has_gone_is_not_counted(waiters: Waiters) -> None:
    gone = asyncio.ensure_future(waiters.wait(1, waiters.mark(1), FOREVER))
    await settle()
    gone.cancel()
    await settle()
    await waiters.wait(1, waiters.mark(1), 0.0)
    waiting = asyncio.ensure_future(waiters.wait(1, waiters.mark(1), FOREVER))
    await settle()
    waiters.wake(1)
    await waiting


async def test_nobody_waits_when_all_ends(waiters: Waiters) -> None:
    waiting = asyncio.ensure_future(waiters.wait(1, waiters.mark(1), FOREVER))
    await settle()
    waiters.end()
    await waiting
    await waiters.wait(1, waiters.mark(1), FOREVER)


async def test_something_due_wakes_the_next(waiters: Waiters) -> None:
    waiting = asyncio.ensure_future(waiters.wait(1, waiters.mark(1), FOREVER))
    await settle()
    waiters.wake_in(1, FOREVER)
    waiters.wake_in(1, 0.0)
    await waiting
