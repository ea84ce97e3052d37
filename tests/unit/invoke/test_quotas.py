import asyncio
from types import SimpleNamespace

import pytest

from lambent.base.clock import ManualClock
from lambent.invoke.concurrency import Concurrency
from lambent.invoke.quotas import Quotas
from lambent.model.function import FunctionId
from lambent.model.lambda_errors import ServiceException_
from lambent.model.quota import Holding, settle
from lambent.store.ports.errors import StoreUnavailableError

FUNCTION = FunctionId("1", "r", "f")


class Parts:
    """QuotaStore, as far as quotas go."""

    def __init__(self):
        self.rows = {}
        self.asked = 0
        self.away = False
        self.gone = set()
        self.before = None

    async def settle(self, node, claims):
        self.asked += 1
        if self.before is not None:
            await self.before.wait()
        if self.away:
            raise StoreUnavailableError("away")
        if node.id in self.gone:
            return {}
        granted = {}
        for claim in claims:
            rows = self.rows.setdefault(claim.name, {})
            others = [
                Holding(holder=id, amount=amount, wanted=wanted)
                for id, (amount, wanted) in rows.items()
                if id != node.id
            ]
            granted[claim.name] = grant = settle(claim, node.id, rows.get(node.id, (0, 0))[0], others)
            rows[node.id] = grant.amount, claim.wanted
        return granted

    async def wanted(self):
        return [name for name, rows in self.rows.items() if any(wanted for _, wanted in rows.values())]

    async def give_back(self, node, names):
        for name in names:
            self.rows[name].pop(node.id)


class ANode:
    def __init__(self, id, store, clock, limit=10):
        self.concurrency = Concurrency(limit, shared=True)
        self.grown = asyncio.Event()
        membership = SimpleNamespace(me=SimpleNamespace(id=id), beat_seconds=2.0)
        self.quotas = Quotas(store, membership, clock, self.concurrency.capacity, self.grown.set)
        self.concurrency.wish = self.quotas.wish
        self.ended = []

    @property
    def capacity(self):
        return self.concurrency.share(FUNCTION).capacity

    async def run(self, count=1):
        """As invoke.run_here does."""
        lane = self.concurrency.share(FUNCTION).lane("1")
        for _ in range(count):
            if not lane.has_room:
                await self.quotas.ask(self.capacity)
            self.ended.append(lane.acquire())

    def end(self, count=1):
        for _ in range(count):
            self.ended.pop()()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def store():
    return Parts()


@pytest.fixture
def nodes(store, clock):
    return ANode("a", store, clock), ANode("b", store, clock)


async def test_the_database_is_asked_for_the_first_invocation_and_for_none_that_follows(nodes, store):
    a, _ = nodes
    assert a.capacity.limit == 0, "nothing runs that was not granted"
    await a.run(5)
    assert store.asked == 1
    assert a.capacity.limit == 10 and a.quotas.rooms() == {"1/r": 5}


async def test_those_who_need_the_first_part_at_once_ask_once(nodes, store):
    a, _ = nodes
    store.before = asyncio.Event()
    asking = [asyncio.ensure_future(a.run()) for _ in range(5)]
    await asyncio.sleep(0)
    store.before.set()
    await asyncio.gather(*asking)
    assert store.asked == 1


async def test_what_one_does_not_use_is_anothers_a_beat_later_and_never_too_much_runs(nodes, store):
    a, b = nodes
    await a.run(2)
    with pytest.raises(Exception, match="Rate Exceeded"):
        await b.run()
    await a.quotas.settle()
    assert 2 <= a.capacity.limit < 10
    await b.quotas.settle()
    assert 10 - a.capacity.limit >= b.capacity.limit > 0
    await b.run(b.capacity.limit)
    assert sum(amount for amount, _ in store.rows["1/r"].values()) <= 10


async def test_at_the_limit_the_database_is_asked_now_and_then_only(nodes, store, clock):
    a, _ = nodes
    await a.run(10)
    for _ in range(5):
        with pytest.raises(Exception, match="Rate Exceeded"):
            await a.run()
    assert store.asked == 2
    clock.advance(0.3)
    with pytest.raises(Exception, match="Rate Exceeded"):
        await a.run()
    assert store.asked == 3


async def test_without_the_database_a_node_goes_on_with_what_it_has(nodes, store, clock):
    a, b = nodes
    await a.run(2)
    store.away = True
    await a.run(8)
    with pytest.raises(Exception, match="Rate Exceeded"):
        await a.run()
    with pytest.raises(ServiceException_):
        await b.run()
    store.away = False
    clock.advance(1.0)
    a.end(10)
    for node in (b, a, b):
        await node.quotas.settle()
    await b.run()


async def test_what_one_uses_the_others_have_a_part_of_before_they_need_it(nodes, store):
    a, b = nodes
    await a.run()
    for node in (b, a, b):
        await node.quotas.settle()
    asked = store.asked
    await b.run(3)
    assert store.asked == asked and a.capacity.limit + b.capacity.limit == 10


async def test_who_was_taken_for_dead_has_nothing_until_it_is_granted_again(nodes, store):
    a, b = nodes
    await a.run(4)
    store.gone.add("a")
    del store.rows["1/r"]["a"]
    await a.quotas.settle()
    assert a.capacity.limit == 0
    await b.run(10)
    store.gone.clear()
    with pytest.raises(Exception, match="Rate Exceeded"):
        await a.run()


async def test_what_nobody_used_for_long_is_given_back(nodes, store, clock):
    a, _ = nodes
    await a.run()
    a.end()
    clock.advance(10.0)
    await a.quotas.settle()
    clock.advance(601.0)
    await a.quotas.settle()
    assert store.rows["1/r"] == {} and a.capacity.limit == 0
    await a.run()


async def test_events_that_find_no_room_have_it_asked_for_and_are_told(nodes, store):
    a, _ = nodes
    assert a.concurrency.room_for_events(FUNCTION) == 0
    async with asyncio.timeout(5):
        await a.grown.wait()
    assert a.concurrency.room_for_events(FUNCTION) == 10


async def test_a_reservation_is_a_quota_of_its_own_and_a_lower_one_holds_at_once(nodes):
    a, _ = nodes
    a.concurrency.allot(FUNCTION, 4, 0, {})
    await a.run(3)
    assert a.capacity.name == "1/r/f" and a.capacity.limit == 4
    a.concurrency.allot(FUNCTION, 1, 0, {})
    assert a.capacity.limit == 1 and a.capacity.running == 3
    with pytest.raises(Exception, match="Rate Exceeded"):
        await a.run()
    a.concurrency.allot(FUNCTION, 0, 0, {})
    assert a.concurrency.closed(FUNCTION)
    with pytest.raises(Exception, match="Rate Exceeded"):
        await a.run()
