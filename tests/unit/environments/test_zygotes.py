import asyncio
import dataclasses
from typing import Any

import pytest

from lambent.base.clock import ManualClock
from lambent.environments import zygotes as module
from lambent.environments.zygotes import Lineage, lineage_of
from lambent.sandbox.port import SandboxError

ONE, OTHER, THIRD = (Lineage(account_id=digit * 12) for digit in "123")


@pytest.fixture
def install(bench: Any) -> Any:
    bench.clock = ManualClock()
    return dataclasses.replace(bench.install, copyable=True)


async def copied(bench: Any, blanks: Any, install: Any, lineage: Lineage | None) -> int | None:
    """The number of the zygote that a blank for the lineage is a copy of."""
    before = [zygote.copies for zygote in bench.backend.zygotes]
    blank = await blanks.take(install, started=True, lineage=lineage)
    await blank.destroy()
    after = [zygote.copies for zygote in bench.backend.zygotes]
    return next((number for number, count in enumerate(after) if count != [*before, 0][number]), None)


async def kept(bench: Any, install: Any, *lineages: Lineage, most: int = 8, stock: int = 0) -> Any:
    blanks = bench.blanks(stock, zygotes=most)
    for lineage in lineages:
        assert bench.zygotes.keep(install, lineage)
        await bench.zygotes.wait_made(install, lineage)
    return blanks


async def test_accounts_have_one_each_and_tenants_none(bench, install):
    blanks = await kept(bench, install, ONE, OTHER)
    assert [await copied(bench, blanks, install, one) for one in (ONE, OTHER, ONE, None)] == [0, 1, 0, None]


def test_versions_of_an_account_are_of_one_lineage_but_not_those_with_tenants(version):
    assert lineage_of(version(), with_sdk=False) == Lineage(account_id="123456789012")
    assert lineage_of(version(), with_sdk=True) == Lineage(account_id="123456789012", with_sdk=True)
    assert lineage_of(version(tenant_isolation=True), with_sdk=True) is None


@pytest.mark.parametrize("copyable", [True, False])
async def test_none_is_kept_for_what_cannot_be_copied_or_where_none_is_wanted(bench, install, copyable):
    blanks = bench.blanks(zygotes=0 if copyable else 8)
    install = dataclasses.replace(install, copyable=copyable)
    assert await copied(bench, blanks, install, ONE) is None
    assert bench.backend.zygotes == []


async def test_while_it_is_made_and_after_it_died_an_interpreter_is_executed(bench, install):
    bench.gates["open_zygote"] = asyncio.Event()
    blanks = bench.blanks(zygotes=8)
    assert await copied(bench, blanks, install, ONE) is None
    bench.gates["open_zygote"].set()
    await bench.zygotes.wait_made(install, ONE)
    assert await copied(bench, blanks, install, ONE) == 0
    await bench.backend.zygotes[0].close()
    assert await copied(bench, blanks, install, ONE) is None
    bench.zygotes.keep(install, ONE)
    await bench.zygotes.wait_made(install, ONE)
    assert await copied(bench, blanks, install, ONE) == 1


async def test_a_failure_is_told_once_and_not_tried_again_at_once(bench, install, caplog):
    bench.failures["open_zygote"] = SandboxError("no")
    blanks = bench.blanks(zygotes=8)
    for _ in range(3):
        assert await copied(bench, blanks, install, ONE) is None
        await asyncio.sleep(0.001)
    assert caplog.text.count("execute their interpreter: no") == 1
    del bench.failures["open_zygote"]
    bench.clock.advance(module._RETRY_SECONDS)
    assert bench.zygotes.keep(install, ONE)
    await bench.zygotes.wait_made(install, ONE)
    assert await copied(bench, blanks, install, ONE) == 0


async def test_each_failure_is_waited_after_for_longer(bench, install):
    bench.failures["open_zygote"] = SandboxError("no")
    blanks = bench.blanks(zygotes=8)
    for pause in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
        assert await copied(bench, blanks, install, ONE) is None
        await bench.zygotes.wait_made(install, ONE)
        bench.clock.advance(pause - 0.5)
        assert not bench.zygotes.keep(install, ONE)
        bench.clock.advance(0.5)
    del bench.failures["open_zygote"]
    assert bench.zygotes.keep(install, ONE)


@pytest.mark.parametrize("worn", ["by copies", "by time"])
async def test_one_that_is_worn_is_replaced_and_ended_after_its_last_copy(bench, install, monkeypatch, worn):
    blanks = await kept(bench, install, ONE)
    if worn == "by copies":
        monkeypatch.setattr(module, "_COPIES_MOST", 1)
        assert await copied(bench, blanks, install, ONE) == 0
    else:
        bench.clock.advance(module._AGE_MOST_SECONDS)
    async with bench.zygotes.copied(install, ONE):
        assert bench.zygotes.keep(install, ONE)
        await bench.until(lambda: len(bench.backend.zygotes) == 2)
        await asyncio.sleep(0.001)
        assert not bench.backend.zygotes[0].ended.done()
    await bench.until(bench.backend.zygotes[0].ended.done)
    assert await copied(bench, blanks, install, ONE) == 1


async def test_only_who_did_not_use_his_lately_gives_way(bench, install):
    blanks = await kept(bench, install, ONE, OTHER, most=2, stock=1)
    blanks.expect(install, ONE)
    await bench.until(lambda: blanks.in_stock(install, started=True, lineage=ONE) == 1)
    assert not bench.zygotes.keep(install, THIRD)
    assert await copied(bench, blanks, install, THIRD) is None
    bench.clock.advance(module._MOVED_AFTER_SECONDS)
    assert bench.zygotes.keep(install, OTHER)
    assert bench.zygotes.keep(install, THIRD)
    await bench.until(bench.backend.zygotes[0].ended.done)
    await bench.zygotes.wait_made(install, THIRD)
    assert not bench.backend.zygotes[1].ended.done()
    assert not any(lineage == ONE for _, _, lineage in blanks._shelves)
    assert await copied(bench, blanks, install, THIRD) == 2


async def test_stock_is_of_copies_and_closing_ends_what_they_were_copied_from(bench, install):
    blanks = bench.blanks(2, zygotes=8)
    blanks.expect(install, ONE)
    await bench.until(lambda: blanks.in_stock(install, started=True, lineage=ONE) == 2)
    assert [zygote.copies for zygote in bench.backend.zygotes] == [2]
    await blanks.close()
    assert bench.backend.zygotes[0].ended.done()
    assert bench.backend.alive == set()
    assert not bench.zygotes.keep(install, ONE)
