import asyncio

import pytest

from lambent.base.tasks import Tasks


async def fail() -> None:
    raise OSError("disk full")


async def test_a_task_that_fails_is_told_with_its_owner_and_name(caplog):
    tasks = Tasks("pools")
    with pytest.raises(OSError, match="disk full"):
        await tasks.start(fail(), "make one")
    assert "pools: make one failed" in caplog.text
    assert "disk full" in caplog.text


async def test_closing_cancels_what_runs_and_waits_for_its_end(caplog):
    tasks, ended = Tasks("owner"), []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(1)

    task = tasks.start(work(), "work")
    await asyncio.sleep(0)
    await tasks.close()
    assert (task.cancelled(), ended, caplog.text) == (True, [1], "")


async def test_a_failure_while_closing_is_told_and_keeps_nothing_else_from_ending(caplog):
    tasks = Tasks("owner")

    async def fail_late() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("a bug in the clean-up")

    other = tasks.start(asyncio.Event().wait(), "other")  # type: ignore[arg-type]
    tasks.start(fail_late(), "late")
    await asyncio.sleep(0)
    await tasks.close()
    assert other.cancelled()
    assert "owner: late failed" in caplog.text


async def test_what_has_just_ended_is_not_waited_for_for_ever():
    tasks, begun = Tasks("owner"), asyncio.Event()
    tasks.start(begun.wait(), "work")  # type: ignore[arg-type]
    await asyncio.sleep(0)
    begun.set()
    # In the same turn of the loop in which it ends, and so before the owner is told of it.
    await asyncio.create_task(tasks.close())


async def test_what_is_started_by_what_ends_is_ended_too():
    tasks, late = Tasks("owner"), []

    async def start_another() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            late.append(tasks.start(asyncio.Event().wait(), "late"))  # type: ignore[arg-type]

    tasks.start(start_another(), "first")
    await asyncio.sleep(0)
    await tasks.close()
    assert late[0].done()


async def test_finish_lets_the_quick_end_and_cancels_the_slow():
    tasks, done = Tasks("owner"), []

    async def quick() -> None:
        await asyncio.sleep(0)
        done.append("quick")

    tasks.start(quick(), "quick")
    slow = tasks.start(asyncio.Event().wait(), "slow")  # type: ignore[arg-type]
    await tasks.finish(0.01)
    assert done == ["quick"]
    assert slow.cancelled()
    await tasks.finish(10.0)


async def test_work_without_an_end_is_begun_again_where_it_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("lambent.base.tasks._AGAIN_SECONDS", 0.0)
    tasks, begun, reached = Tasks("server"), [], asyncio.Event()

    async def work() -> None:
        begun.append(1)
        if len(begun) < 3:
            raise KeyError("a record that nobody expected")
        reached.set()
        await asyncio.Event().wait()

    tasks.keep(work, "sweep")
    await reached.wait()
    await tasks.close()
    assert len(begun) == 3
    assert "server: sweep failed; it is begun again" in caplog.text
