"""Events of buckets on their way to whoever is told, where destinations, stores and clocks fail."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from lambent.base.clock import ManualClock
from lambent.model.stored_object import Notice
from lambent.services.s3.delivery import Delivery, Destinations
from lambent.store.ports.errors import StoreUnavailableError
from lambent.store.ports.notices import QueuedNotice

HOUR = 3600.0


class Notices:
    """lambent.store.ports.notices.NoticeStore, whose writes fail as often as it is told."""

    def __init__(self, clock: ManualClock, *bodies: str) -> None:
        self.due_at = {number: clock.now() for number in range(len(bodies))}
        self.queued = {
            number: QueuedNotice(id=number, attempts=0, created_at=clock.now(), notice=notice(body))
            for number, body in enumerate(bodies)
        }
        self.failures = 0

    async def due(self, now: float, limit: int) -> Sequence[QueuedNotice]:
        return [one for one in self.queued.values() if self.due_at[one.id] <= now][:limit]

    async def next_due(self) -> float | None:
        return min((self.due_at[id] for id in self.queued), default=None)

    async def complete(self, ids: Sequence[int]) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise StoreUnavailableError("the database cannot be reached")
        for id in ids:
            del self.queued[id]

    async def hasten(self, *, now: float, latest: float) -> int:
        late = [id for id in self.queued if self.due_at[id] > latest]
        self.due_at |= dict.fromkeys(late, now)
        return len(late)

    async def postpone(self, id: int, due_at: float) -> None:
        self.due_at[id] = due_at
        self.queued[id] = replace(self.queued[id], attempts=self.queued[id].attempts + 1)


class Told(Destinations):
    """Those whose body is in `fails` cannot be told."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.fails: set[str] = set()

    async def deliver(self, notice: Notice) -> None:
        if notice.body in self.fails:
            raise StoreUnavailableError("the database cannot be reached")
        self.bodies.append(notice.body)


def notice(body: str) -> Notice:
    return Notice(account_id="111122223333", region="us-east-1", bucket_arn="b", destination="d", body=body)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def told() -> Told:
    return Told()


async def no_pause(_: float) -> None:
    return


def delivery(notices: Notices, told: Told, clock: ManualClock) -> Delivery:
    return Delivery(notices, told, clock, sleep=no_pause)


async def test_one_that_fails_does_not_have_the_others_told_again(clock: ManualClock, told: Told) -> None:
    notices = Notices(clock, "a", "b")
    told.fails = {"a"}
    delivering = delivery(notices, told, clock)
    assert await delivering.deliver_due() == 2
    assert await delivering.deliver_due() == 0
    assert await delivering.next_due_in() == 1.0
    told.fails = set()
    clock.advance(1)
    assert await delivering.deliver_due() == 1
    assert told.bodies == ["b", "a"]


async def test_what_was_told_is_settled_when_the_store_is_back(clock: ManualClock, told: Told) -> None:
    notices = Notices(clock, "a")
    notices.failures = 3
    delivering = delivery(notices, told, clock)
    assert await delivering.deliver_due() == 1
    assert await delivering.deliver_due() == 0
    assert told.bodies == ["a"]


@pytest.mark.parametrize("hours", [30, 0.01])
async def test_a_clock_that_is_set_back_puts_no_retry_off(
    clock: ManualClock, told: Told, hours: float
) -> None:
    notices = Notices(clock, "a")
    told.fails = {"a"}
    delivering = delivery(notices, told, clock)
    await delivering.deliver_due()
    clock.set_by(-hours * HOUR)
    await delivering.deliver_due()
    assert await delivering.next_due_in() == 0.0
    told.fails = set()
    assert await delivering.deliver_due() == 1
    assert told.bodies == ["a"]


async def test_a_clock_that_is_set_forward_has_nothing_given_up(clock: ManualClock, told: Told) -> None:
    notices = Notices(clock, "a")
    told.fails = {"a"}
    delivering = delivery(notices, told, clock)
    clock.set_by(30 * HOUR)
    assert await delivering.deliver_due() == 1
    assert notices.queued
    clock.advance(25 * HOUR)
    assert await delivering.deliver_due() == 1
    assert not notices.queued
