from lambent.cluster.shares import Shares, preferred
from lambent.store.ports.nodes import Node

NAMES = [f"mapping {number}" for number in range(200)]


def nodes(*ids):
    return [Node(id=id, incarnation="1", address="", zone="", roles=("poller",), version="1") for id in ids]


def placed(*ids):
    return {name: preferred(name, nodes(*ids)) for name in NAMES}


def test_work_is_spread_over_all():
    counts = [list(placed("a", "b", "c").values()).count(id) for id in "abc"]
    assert min(counts) > 40


def test_only_what_a_node_had_moves_when_it_goes():
    before, after = placed("a", "b", "c"), placed("a", "c")
    assert all(after[name] == node for name, node in before.items() if node != "b")
    assert preferred("x", []) is None


async def test_of_two_nodes_each_thing_is_done_by_one(cluster):
    memberships = [await cluster.join(id, roles=("poller",)) for id in "ab"]
    await cluster.join("c", roles=("api",))
    for membership in memberships:
        await membership.beat()
    shares = [Shares(cluster.leases(membership), membership, "poller") for membership in memberships]
    taken = [[await each.take(name) for each in shares] for name in NAMES[:20]]
    assert all(sum(by) == 1 for by in taken)


async def test_what_another_is_doing_still_is_taken_once_it_has_given_it_up(cluster):
    a = await cluster.join("a", roles=("poller",))
    of_a = Shares(cluster.leases(a), a, "poller")
    assert await of_a.take("m") and await of_a.take("m")
    others = [f"n{number}" for number in range(100)]
    id = next(id for id in others if preferred("m", nodes("a", id)) == id)
    b = await cluster.join(id, roles=("poller",))
    of_b = Shares(cluster.leases(b), b, "poller")
    assert not await of_b.take("m")
    await a.beat()
    assert not of_a.is_mine("m")
    await of_a.give_up("m")
    assert await of_b.take("m") and not await of_a.take("m")
