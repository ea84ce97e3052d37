import asyncio
from dataclasses import replace

from lambent.model.quota import Claim
from lambent.store.ports.nodes import Node


async def joined(stores, *ids: str, seconds: float = 60.0) -> list[Node]:
    nodes = [Node(id=id, incarnation="1", address="", zone="z", roles=("worker",), version="1") for id in ids]
    for node in nodes:
        await stores.nodes.join(node, seconds)
    return nodes


def claim(name="q", *, limit=10, wanted=0, using=0) -> Claim:
    return Claim(name=name, limit=limit, wanted=wanted, using=using)


async def amount(stores, node, **settings) -> int:
    return (await stores.quotas.settle(node, [claim(**settings)]))["q"].amount


async def test_alone_a_node_has_all(stores):
    (a,) = await joined(stores, "a")
    assert await amount(stores, a) == 10
    assert await stores.quotas.held() == {"q": {"a": 10}}


async def test_two_share_and_never_have_more_than_there_is(stores):
    a, b = await joined(stores, "a", "b")
    assert await amount(stores, a, wanted=1) == 6, "b has a share before it asks"
    await stores.quotas.settle(a, [claim("unwanted")])
    assert await stores.quotas.wanted() == ["q"]
    assert await amount(stores, b, wanted=4) == 4
    assert await amount(stores, a, wanted=1, using=4) == 4
    assert await amount(stores, b, wanted=4) == 6
    assert (await stores.quotas.held())["q"] == {"a": 4, "b": 6}


async def test_those_who_ask_at_once_get_no_more_than_there_is(stores):
    nodes = await joined(stores, *"abcdef")
    await asyncio.gather(*(amount(stores, node, wanted=9) for node in nodes))
    assert sum((await stores.quotas.held())["q"].values()) <= 10


async def test_a_part_goes_with_the_membership(stores):
    a, b = await joined(stores, "a", "b", seconds=0.0)
    await amount(stores, a)
    (seen,) = [member for member in await stores.nodes.members() if member.node == a]
    assert await stores.nodes.remove(seen)
    assert await stores.quotas.held() == {}
    assert await amount(stores, b) == 10
    await stores.nodes.leave(b)
    assert await stores.quotas.held() == {}


async def test_who_was_removed_is_granted_nothing_and_another_life_begins_with_nothing(stores):
    a, b = await joined(stores, "a", "b")
    await amount(stores, a)
    later = replace(a, incarnation="2")
    await stores.nodes.join(later, 60.0)
    assert await stores.quotas.settle(a, [claim(using=10)]) == {}
    assert await amount(stores, b, wanted=10) == 10
    assert await amount(stores, later, using=10) == 0, "what an earlier life used is not this one's"


async def test_what_is_given_back_is_free(stores):
    a, b = await joined(stores, "a", "b")
    await stores.quotas.settle(a, [claim(), claim("other")])
    await stores.quotas.give_back(a, ["q"])
    assert await stores.quotas.held() == {"other": {"a": 5}}
    assert await amount(stores, b, wanted=10) == 10
