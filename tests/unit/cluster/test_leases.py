import asyncio

from memory_nodes import MEMBERSHIP_SECONDS

from lambent.store.ports.fence import Fence, held


class Work:
    """Knows who is doing it, each until it is ended."""

    def __init__(self) -> None:
        self.by: list[str] = []

    def of(self, id):
        async def work():
            self.by.append(id)
            try:
                await asyncio.Event().wait()
            finally:
                self.by.remove(id)

        return work


async def start(cluster, *ids):
    work, nodes = Work(), {}
    for id in ids:
        membership = await cluster.join(id)
        leases = cluster.leases(membership)
        holding = asyncio.create_task(leases.hold("timer", work.of(id)))
        nodes[id] = membership, leases, holding
        await cluster.everybody_goes_on()
    return work, nodes


async def test_one_does_it_and_when_it_leaves_another(cluster):
    work, nodes = await start(cluster, "a", "b", "c")
    assert work.by == ["a"]
    membership, _, holding = nodes["a"]
    holding.cancel()
    await membership.leave()
    await cluster.everybody_goes_on()
    assert len(work.by) == 1 and work.by != ["a"]


async def test_who_was_stopped_ends_its_work_with_its_first_beat(cluster):
    work, nodes = await start(cluster, "a", "b")
    a, b = nodes["a"][0], nodes["b"][0]
    cluster.clock.advance(MEMBERSHIP_SECONDS - 1)
    await b.beat()
    cluster.clock.advance(2)
    assert not a.valid
    await cluster.everybody_goes_on()  # b takes the lease that has run out; a has not noticed
    assert work.by == ["a", "b"]
    await a.beat()
    await cluster.everybody_goes_on()
    assert work.by == ["b"]
    assert nodes["a"][1].held == {} and nodes["b"][1].held == {"timer": 2}


async def test_what_a_node_held_that_ends_is_free_before_it_leaves(cluster):
    work, nodes = await start(cluster, "a", "b")
    _, leases, holding = nodes["a"]
    holding.cancel()
    await asyncio.wait([holding])
    await leases.close()
    await cluster.everybody_goes_on()
    assert work.by == ["b"]


async def test_work_that_fails_is_begun_again(cluster):
    membership = await cluster.join("a")
    begun = []

    async def fails():
        begun.append(1)
        raise RuntimeError("no")

    holding = asyncio.create_task(cluster.leases(membership).hold("timer", fails))
    for _ in range(3):
        await cluster.everybody_goes_on()
    assert len(begun) > 1
    holding.cancel()


async def test_nobody_acquires_while_the_database_is_away(cluster):
    membership = await cluster.join("a")
    cluster.store.away = True
    work = Work()
    holding = asyncio.create_task(cluster.leases(membership).hold("timer", work.of("a")))
    await cluster.everybody_goes_on()
    assert work.by == []
    cluster.store.away = False
    await cluster.everybody_goes_on()
    assert work.by == ["a"]
    holding.cancel()


async def test_what_is_acquired_for_oneself_is_released(cluster):
    a, b = await cluster.join("a"), await cluster.join("b")
    of_a, of_b = cluster.leases(a), cluster.leases(b)
    assert await of_a.acquire("mapping") == 1 and await of_b.acquire("mapping") is None
    await of_a.release("mapping")
    assert of_a.held == {} and await of_b.acquire("mapping") == 2


async def test_what_is_done_under_a_lease_knows_its_token_and_so_does_what_it_begins(cluster):
    membership = await cluster.join("a")
    leases, found = cluster.leases(membership), []

    async def begun():
        found.append(held())

    async def work():
        await asyncio.create_task(begun())
        await asyncio.Event().wait()

    holding = asyncio.create_task(leases.hold("timer", work))
    await cluster.everybody_goes_on()
    assert found == [Fence("timer", "a", 1)] and held() is None
    holding.cancel()
