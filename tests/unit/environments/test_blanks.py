import asyncio
import dataclasses
import os
from typing import Any

import pytest

from lambent.environments import blank_maker
from lambent.environments import blanks as module
from lambent.sandbox.port import SandboxError


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - no iterator that holds one itself


async def stocked(bench: Any, stock: int) -> Any:
    blanks = bench.blanks(stock)
    blanks.expect(bench.install)
    await bench.until(lambda: blanks.in_stock(bench.install, started=True) == stock)
    return blanks


async def test_what_is_expected_is_made_once_and_used_in_turn(bench):
    blanks = await stocked(bench, 2)
    blanks.expect(bench.install)
    await asyncio.sleep(0.01)
    assert len(bench.backend.made) == 2
    first = await blanks.take(bench.install, started=True)
    second = await blanks.take(bench.install, started=True)
    assert [first.sandbox, second.sandbox] == bench.backend.made[:2]
    await bench.until(lambda: blanks.in_stock(bench.install, started=True) == 2)
    assert len(bench.backend.made) == 4
    await first.destroy()
    await second.destroy()


async def test_a_blank_has_its_process_up_and_no_code(bench):
    blanks = await stocked(bench, 1)
    blank = await blanks.take(bench.install, started=True)
    assert blank.sandbox.steps == ["start"]
    assert blank.started
    assert blank.channel_end is None
    assert bench.served >= 2
    await blank.destroy()


async def test_one_to_be_started_later_never_comes_from_stock(bench):
    blanks = await stocked(bench, 1)
    blank = await blanks.take(bench.install, started=False)
    assert blank.sandbox is bench.backend.made[1]
    assert blank.sandbox.steps == []
    assert set(blank.files()) == {1, 2, 3, 4}
    await blank.destroy()


async def test_foreign_runtimes_are_kept_in_stock_without_a_process_and_have_no_channel(bench):
    foreign = dataclasses.replace(bench.install, kind="api")
    blanks = bench.blanks(2)
    blanks.expect(foreign)
    await bench.until(lambda: blanks.in_stock(foreign, started=False) == 2)
    blank = await blanks.take(foreign, started=False)
    assert blank.sandbox is bench.backend.made[0]
    assert blank.sandbox.steps == []
    assert set(blank.files()) == {1, 2, 4}
    await blank.destroy()


async def test_nothing_is_made_in_its_place_while_who_took_it_is_initialized(bench):
    blanks = await stocked(bench, 1)
    blank = await blanks.take(bench.install, started=True)
    await asyncio.sleep(0.01)
    assert len(bench.backend.made) == 1
    await bench.until(lambda: blanks.in_stock(bench.install, started=True) == 1)
    await blank.destroy()


async def test_a_blank_that_died_in_stock_is_passed_over(bench, caplog):
    blanks = await stocked(bench, 2)
    bench.backend.made[0]._bootstrap.exit(code=1)
    await asyncio.sleep(0.01)
    blank = await blanks.take(bench.install, started=True)
    assert blank.sandbox is bench.backend.made[1]
    await bench.until(lambda: bench.backend.made[0] not in bench.backend.alive)
    assert "has ended while it was in stock" in caplog.text
    await blank.destroy()


async def test_no_more_are_made_at_once_than_the_host_can_bear_and_in_order_of_arrival(bench):
    bench.gates["create"] = asyncio.Event()
    blanks = bench.blanks(0)
    entered = 0
    create = bench.backend.create

    async def counted(spec: Any, process: Any = None) -> Any:
        nonlocal entered
        entered += 1
        return await create(spec)

    bench.backend.create = counted
    order: list[int] = []

    async def take(number: int) -> Any:
        blank = await blanks.take(bench.install, started=True)
        order.append(number)
        return blank

    tasks = [asyncio.create_task(take(number)) for number in range(8)]
    await bench.until(lambda: entered == module._MAKING_MOST)
    await asyncio.sleep(0.01)
    assert entered == module._MAKING_MOST
    bench.gates["create"].set()
    for blank in await asyncio.gather(*tasks):
        await blank.destroy()
    assert sorted(order[:4]) == [0, 1, 2, 3]


async def test_a_failed_restock_is_logged_and_tried_again_with_the_next_need(
    bench, caplog, monkeypatch, sandbox_error
):
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.0)
    bench.next_failures = [sandbox_error]
    blanks = bench.blanks(1)
    blanks.expect(bench.install)
    await bench.until(lambda: "could not make a blank for python3.12: the kernel said no" in caplog.text)
    await bench.until(lambda: not any(shelf.making for shelf in blanks._shelves.values()))
    blanks.expect(bench.install)
    await bench.until(lambda: blanks.in_stock(bench.install, started=True) == 1)


@pytest.mark.parametrize("step", ["create", "start", "listen"])
async def test_a_failure_leaves_nothing_open(bench, step):
    blanks = bench.blanks(0)
    await asyncio.sleep(0)
    before = descriptors()
    if step == "listen":
        bench.serve_error = OSError("no more descriptors")
    else:
        bench.failures[step] = SandboxError("no")
    with pytest.raises((SandboxError, OSError)):
        await blanks.take(bench.install, started=True)
    await asyncio.sleep(0.01)
    assert bench.backend.alive == set()
    assert descriptors() == before


async def test_a_bootstrap_that_does_not_come_up_in_time_is_given_up(bench, monkeypatch):
    monkeypatch.setattr(blank_maker, "_READY_SECONDS", 0.02)

    async def silent(bootstrap: Any) -> None:
        await asyncio.Event().wait()

    bench.on_start = silent
    with pytest.raises(SandboxError, match=r"python3.12 did not come up: TimeoutError"):
        await bench.blanks().take(bench.install, started=True)
    assert bench.backend.alive == set()


async def test_what_is_made_for_a_caller_who_leaves_is_destroyed(bench):
    bench.gates["create"] = asyncio.Event()
    blanks = bench.blanks(0)
    before = descriptors()
    taking = asyncio.create_task(blanks.take(bench.install, started=True))
    await asyncio.sleep(0.01)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    bench.gates["create"].set()
    await bench.until(lambda: bench.backend.made and not bench.backend.alive)
    await asyncio.sleep(0.01)
    assert descriptors() == before


@pytest.mark.parametrize("step", ["create", "start"])
async def test_closing_breaks_off_what_is_being_made_and_destroys_the_stock(bench, step):
    blanks = await stocked(bench, 1)
    bench.gates[step] = asyncio.Event()
    blanks._stock_wanted = 3
    blanks.expect(bench.install)
    await asyncio.sleep(0.01)
    await blanks.close()
    bench.gates[step].set()
    assert bench.backend.alive == set()
    blanks.expect(bench.install)
    await asyncio.sleep(0.01)
    assert bench.backend.alive == set()


async def test_destroying_goes_on_when_who_asked_for_it_is_cancelled(bench):
    blank = await bench.blanks().take(bench.install, started=True)
    bench.gates["destroy"] = asyncio.Event()
    destroying = asyncio.create_task(blank.destroy())
    await asyncio.sleep(0)
    destroying.cancel()
    bench.gates["destroy"].set()
    await blank.destroy()
    assert bench.backend.alive == set()
    assert bench.closed_listeners == 2


def launched(bench: Any, memory_mb: int) -> Any:
    foreign = dataclasses.replace(bench.install, kind="api", waiting_argv=("/launcher", "-Xmx{heap_mb}m"))
    return foreign.of_memory(memory_mb)


async def say_ready(bootstrap: Any) -> None:
    await asyncio.get_running_loop().sock_sendall(bootstrap._channel, b"\x01")


async def test_launchers_are_in_stock_by_memory_size(bench):
    bench.on_start = say_ready
    blanks = bench.blanks(1)
    small, large = launched(bench, 128), launched(bench, 1024)
    assert not blanks.starts(small)
    blanks.expect(small)
    await bench.until(lambda: blanks.in_stock(small, started=True) == 1)
    assert blanks.starts(small)
    assert not blanks.starts(large)
    blank = await blanks.take(small, started=True)
    assert blank.sandbox._bootstrap.process.argv == ("/launcher", "-Xmx89m")
    await blank.destroy()


async def test_sizes_that_were_not_asked_for_longest_are_given_up(bench):
    bench.on_start = say_ready
    blanks = bench.blanks(1)
    sizes = [launched(bench, 128 * factor) for factor in range(1, module._MEMORY_SIZES_MOST + 2)]
    for install in sizes:
        blanks.expect(install)
        await bench.until(lambda install=install: blanks.in_stock(install, started=True) == 1)
    assert [blanks.in_stock(install, started=True) for install in sizes] == [0, *[1] * (len(sizes) - 1)]


async def test_one_without_a_launcher_is_never_started_before_and_ours_always(bench):
    blanks = bench.blanks(0)
    assert blanks.starts(bench.install)
    assert not blanks.starts(dataclasses.replace(bench.install, kind="api"))
