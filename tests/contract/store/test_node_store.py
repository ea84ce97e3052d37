import asyncio
from dataclasses import replace

from lambent.store.ports.nodes import Node


def node(id: str = "a", incarnation: str = "1", **members) -> Node:
    return Node(
        **{
            "id": id,
            "incarnation": incarnation,
            "address": "10.0.0.1:9101",
            "zone": "z1",
            "roles": ("api", "worker"),
            "version": "0.1.0",
            **members,
        }
    )


async def joined(stores, *ids: str, seconds: float = 60.0) -> list[Node]:
    nodes = [node(id) for id in ids]
    for each in nodes:
        await stores.nodes.join(each, seconds)
    return nodes


async def member(stores, id: str):
    return {member.node.id: member for member in await stores.nodes.members()}.get(id)


async def test_who_joins_is_a_member_with_all_that_it_says(stores):
    await joined(stores, "b", "a")
    assert [each.node for each in await stores.nodes.members()] == [node("b"), node("a")]
    found = await member(stores, "a")
    assert 50 < found.remaining_seconds <= 60 and found.beats == 0


async def test_a_beat_renews(stores):
    (a,) = await joined(stores, "a", seconds=0.0)
    assert await stores.nodes.beat(a, 60.0, '{"busy": 1}')
    found = await member(stores, "a")
    assert found.remaining_seconds > 50 and found.beats == 1
    assert found.state == '{"busy": 1}' and 0 <= found.joined_seconds < 50


async def test_an_earlier_life_cannot_beat_or_leave(stores):
    (a,) = await joined(stores, "a")
    later = replace(a, incarnation="2")
    await stores.nodes.join(later, 60.0)
    assert not await stores.nodes.beat(a, 60.0)
    await stores.nodes.leave(a)
    assert (await member(stores, "a")).node == later


async def test_who_is_no_member_cannot_beat(stores):
    assert not await stores.nodes.beat(node("a"), 60.0)
    assert await stores.nodes.members() == []


async def test_only_whose_time_is_over_is_removed(stores):
    (a,) = await joined(stores, "a")
    assert not await stores.nodes.remove(await member(stores, "a"))
    await stores.nodes.beat(a, -1.0)
    assert await stores.nodes.remove(await member(stores, "a"))
    assert await stores.nodes.members() == []


async def test_some_of_its_time_may_be_spared(stores):
    await joined(stores, "a", seconds=30.0)
    assert not await stores.nodes.remove(await member(stores, "a"), 5.0)
    assert await stores.nodes.remove(await member(stores, "a"), 31.0)


async def test_who_was_heard_of_since_it_was_seen_is_not_removed(stores):
    (a,) = await joined(stores, "a", seconds=-1.0)
    seen = await member(stores, "a")
    await stores.nodes.beat(a, -1.0)
    assert not await stores.nodes.remove(seen)
    await stores.nodes.join(replace(a, incarnation="2"), -1.0)
    assert not await stores.nodes.remove(replace(seen, beats=0))
    assert len(await stores.nodes.members()) == 1


async def test_one_of_many_gets_a_lease(stores):
    nodes = await joined(stores, *"abcdefgh")
    tokens = await asyncio.gather(*(stores.nodes.acquire("timer", each, 60.0) for each in nodes))
    assert sorted(tokens, key=str) == [1] + [None] * 7
    (lease,) = await stores.nodes.leases()
    assert (lease.name, lease.token) == ("timer", 1)
    assert nodes[tokens.index(1)].id == lease.holder


async def test_a_lease_that_has_run_out_goes_to_another_with_a_greater_token(stores):
    a, b = await joined(stores, "a", "b")
    assert await stores.nodes.acquire("timer", a, -1.0) == 1
    assert await stores.nodes.acquire("timer", b, 60.0) == 2
    assert await stores.nodes.acquire("timer", a, 60.0) is None


async def test_the_holder_gets_its_lease_again(stores):
    (a,) = await joined(stores, "a")
    assert await stores.nodes.acquire("timer", a, 60.0) == 1
    assert await stores.nodes.acquire("timer", a, 60.0) == 2


async def test_who_is_no_member_gets_no_lease(stores):
    (a,) = await joined(stores, "a")
    assert await stores.nodes.acquire("timer", node("b"), 60.0) is None
    assert await stores.nodes.acquire("timer", replace(a, incarnation="2"), 60.0) is None


async def test_a_beat_renews_the_leases(stores):
    a, b = await joined(stores, "a", "b")
    await stores.nodes.acquire("timer", a, -1.0)
    await stores.nodes.beat(a, 60.0)
    assert await stores.nodes.acquire("timer", b, 60.0) is None


async def test_who_leaves_or_is_removed_frees_its_leases(stores):
    a, b, c = await joined(stores, "a", "b", "c")
    await stores.nodes.acquire("one", a, 60.0)
    await stores.nodes.acquire("two", b, 60.0)
    await stores.nodes.leave(a)
    await stores.nodes.beat(b, -1.0)
    await stores.nodes.remove(await member(stores, "b"))
    assert await stores.nodes.leases() == []
    assert await stores.nodes.acquire("one", c, 60.0) == 2
    assert await stores.nodes.acquire("two", c, 60.0) == 2


async def test_only_the_holder_releases(stores):
    a, b = await joined(stores, "a", "b")
    token = await stores.nodes.acquire("timer", a, 60.0)
    await stores.nodes.release("timer", b, token)
    await stores.nodes.release("timer", a, token + 1)
    assert len(await stores.nodes.leases()) == 1
    await stores.nodes.release("timer", a, token)
    assert await stores.nodes.leases() == []
    assert await stores.nodes.acquire("timer", b, 60.0) == 2
