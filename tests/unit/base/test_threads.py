import asyncio
import threading

import pytest

from lambent.base.threads import Threads


@pytest.fixture
def threads():
    made = Threads("test", 2)
    made.start()
    yield made
    made.close()


async def test_results_and_errors_come_back_to_who_gave_the_work(threads):
    def fail() -> int:
        raise LookupError("no")

    assert await threads.run(lambda: 3) == 3
    with pytest.raises(LookupError, match="no"):
        await threads.run(fail)
    assert await threads.run(threading.get_ident) != threading.get_ident()


async def test_work_goes_on_when_its_caller_is_cancelled(threads):
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert go_on.wait(10)
        ended.set()

    waiting = threads.run(work)
    await threads.run(begun.wait)
    waiting.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await threads.run(lambda: ended.wait(10))


async def test_as_many_run_at_once_as_there_are_threads(threads):
    meeting = threading.Barrier(2, timeout=10)
    assert sorted(await asyncio.gather(threads.run(meeting.wait), threads.run(meeting.wait))) == [0, 1]


async def test_closing_waits_for_what_was_given(threads):
    done = []
    given = [threads.run(lambda number=number: done.append(number)) for number in range(50)]
    await asyncio.to_thread(threads.close)
    threads.close()
    assert len(done) == 50
    await asyncio.gather(*given)


def test_what_was_never_started_is_closed_at_once():
    Threads("test", 1).close()


async def test_a_loop_that_is_gone_ends_no_thread(threads):
    go_on = threading.Event()
    waiting: list[asyncio.Future[bool]] = []

    async def give_and_leave() -> None:
        waiting.append(threads.run(lambda: go_on.wait(10)))

    await asyncio.to_thread(asyncio.run, give_and_leave())
    go_on.set()
    assert await threads.run(lambda: 1) == 1
    assert await asyncio.gather(threads.run(lambda: 2), threads.run(lambda: 3)) == [2, 3]
