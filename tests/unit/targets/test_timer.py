import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from memory_records import MemoryDeliveries, MemoryRecords

from lambent.base.clock import ManualClock
from lambent.store.ports.named_records import Name
from lambent.targets.timer import Timer, latest


def every(interval: float):
    return lambda after: (math.floor(after / interval) + 1) * interval


def test_what_was_not_missed_is_the_latest():
    assert latest(60.0, 60.5, every(60)) == 60.0
    assert latest(60.0, 119.9, every(60)) == 60.0


def test_of_several_that_were_missed_it_is_the_last():
    assert latest(60.0, 600.0, every(60)) == 600.0


def test_of_years_only_the_last_day_is_looked_at():
    asked = []

    def following(after: float) -> float:
        asked.append(after)
        return every(60)(after)

    assert latest(60.0, 1e9, following) == 1e9 - 1e9 % 60
    assert len(asked) < 1500


def test_what_comes_once_in_a_long_time_is_not_passed_over():
    assert latest(1000.0, 1e6, every(10**9)) == 1000.0
    assert latest(1000.0, 1e6, lambda after: None) == 1000.0


async def test_one_record_that_fails_is_put_off_and_no_other_with_it():
    clock, records = ManualClock(100.0), MemoryRecords(MemoryDeliveries())
    fired = []

    async def fire(due) -> None:
        if due.value == "broken":
            raise RuntimeError("a bug")
        fired.append(due.value)
        await records.advance(due.name, previous=due.value, value=None, due_at=None, deliveries=())

    for value in ("a", "broken", "c"):
        await records.insert(Name("1", "r", "", value), value, due_at=100.0)
    timer = Timer(records, fire, lambda value, now: now + 60, clock)
    await timer.fire_due()
    assert fired == ["a", "c"]
    assert await records.next_due() == 160.0
    await timer.fire_due()
    assert await records.get(Name("1", "r", "", "broken")) == "broken"


async def test_a_record_that_was_changed_meanwhile_is_looked_at_again():
    clock, records = ManualClock(100.0), MemoryRecords(MemoryDeliveries())
    seen = []

    async def fire(due) -> None:
        seen.append(due.value)
        if due.value == "old":
            await records.replace(due.name, "new", previous="old", due_at=100.0)
        await records.advance(due.name, previous=due.value, value="new", due_at=None, deliveries=())

    await records.insert(Name("1", "r", "", "s"), "old", due_at=100.0)
    await Timer(records, fire, lambda value, now: now + 60, clock).fire_due()
    assert seen == ["old", "new"]


def name(value: str) -> Name:
    return Name("1", "r", "", value)


async def test_a_clock_that_is_set_back_keeps_nothing_waiting():
    clock, records = ManualClock(1e6), MemoryRecords(MemoryDeliveries())
    fired = []

    async def fire(due) -> None:
        fired.append(due.value)
        due_at = clock.now() + 60
        await records.advance(due.name, previous=due.value, value=due.value, due_at=due_at, deliveries=())

    timer = Timer(records, fire, lambda value, now: 2e6 if value == "once" else now + 60, clock)
    for number in range(250):
        await records.insert(name(f"n{number}"), number, due_at=clock.now())
    await records.insert(name("once"), "once", due_at=2e6)
    await records.insert(name("over"), "over")
    clock.set_by(86_400.0)
    await timer.fire_due()
    clock.set_by(-86_400.0)
    while await timer.follow_clock():
        pass
    assert not await timer.follow_clock()
    clock.advance(60)
    await timer.fire_due()
    assert fired == 2 * list(range(250))
    assert (await records.due(now=1e9, limit=1000))[-1].due_at == 2e6


async def test_what_is_changed_while_the_clock_is_followed_keeps_its_time():
    clock = ManualClock(1000.0)

    class Changing(MemoryRecords):
        async def due_later(self, **wanted):
            found = await super().due_later(**wanted)
            await self.replace(name("s"), "new", previous="old", due_at=5000.0)
            return found

    records = Changing(MemoryDeliveries())
    await records.insert(name("s"), "old", due_at=90_000.0)
    await Timer(records, None, lambda value, now: now + 60, clock).follow_clock()
    assert await records.next_due() == 5000.0
