import asyncio
from dataclasses import replace

from memory_nodes import MEMBERSHIP_SECONDS

OVER = MEMBERSHIP_SECONDS + 1


def ids(nodes):
    return [node.id for node in nodes]


async def test_those_who_joined_know_each_other(cluster):
    a = await cluster.join("a", roles=("api",))
    b = await cluster.join("b", roles=("api", "worker"))
    await a.beat()
    assert ids(a.others) == ["b"] and ids(b.others) == ["a"]
    assert ids(a.with_role("worker")) == ["b"] and ids(a.with_role("api")) == ["a", "b"]


async def test_who_is_silent_for_two_looks_is_removed_by_one(cluster):
    a, b, _ = [await cluster.join(id) for id in "abc"]
    cluster.clock.advance(OVER)
    await b.beat()
    await a.beat()
    assert ids(a.others) == ["b"]
    assert len(await cluster.store.members()) == 3, "the first look may be the database's fault"
    await a.beat()
    await b.beat()
    assert ids(member.node for member in await cluster.store.members()) == ["a", "b"]
    assert ("a", "lost") in cluster.told and ("b", "lost") not in cluster.told


async def test_a_database_that_was_away_costs_nobody_its_membership(cluster):
    a, b = [await cluster.join(id) for id in "ab"]
    cluster.clock.advance(60.0)
    await a.beat()
    await b.beat()
    await a.beat()
    assert ids(a.others) == ["b"] and ids(b.others) == ["a"]
    assert ("a", "lost") not in cluster.told


async def test_who_refuses_connections_too_has_half_the_time(cluster):
    a, b, _ = [await cluster.join(id) for id in "abc"]
    a.refuses = lambda node: node.id == "c"
    for _ in range(2):
        cluster.clock.advance(MEMBERSHIP_SECONDS / 4)
        await b.beat()
        await a.beat()
    assert len(await cluster.store.members()) == 3, "half its time is over, at one look"
    cluster.clock.advance(MEMBERSHIP_SECONDS / 4)
    await b.beat()
    await a.beat()
    assert ids(member.node for member in await cluster.store.members()) == ["a", "b"]


async def test_who_refuses_connections_and_beats_stays(cluster):
    a, b = [await cluster.join(id) for id in "ab"]
    a.refuses = lambda node: True
    for _ in range(20):
        cluster.clock.advance(MEMBERSHIP_SECONDS / 4)
        await a.beat()
        await a.look()
        await b.beat()
    assert ("a", "lost") not in cluster.told


async def test_renewed_lately_says_that_the_database_is_there(cluster):
    a = await cluster.join("a")
    assert a.renewed_lately
    cluster.clock.advance(MEMBERSHIP_SECONDS / 2 + 0.1)
    assert a.valid and not a.renewed_lately


async def test_who_was_removed_lapses_and_joins_again_as_another_incarnation(cluster):
    a, b = [await cluster.join(id) for id in "ab"]
    before = b.me.incarnation
    cluster.clock.advance(OVER)
    await a.beat()
    await a.beat()
    assert not b.valid
    await b.beat()
    assert ("b", "lapsed") in cluster.told
    assert b.valid and b.me.incarnation != before
    await a.beat()
    assert ids(a.others) == ["b"]


async def test_who_finds_another_under_its_name_is_displaced(cluster):
    a = await cluster.join("a")
    await cluster.store.join(replace(a.me, incarnation="copy"), 60.0)
    await a.beat()
    assert cluster.displaced == ["a"] and not a.valid


async def test_who_cannot_beat_lapses_when_its_time_is_over(cluster):
    a = await cluster.join("a")
    beating = asyncio.create_task(a.run())
    cluster.store.away = True
    await cluster.everybody_goes_on()
    await cluster.everybody_goes_on()
    assert a.valid and cluster.told == []
    cluster.clock.advance(OVER)
    await cluster.everybody_goes_on()
    await cluster.everybody_goes_on()
    assert not a.valid and ("a", "lapsed") in cluster.told
    cluster.store.away = False
    await cluster.everybody_goes_on()
    assert a.valid
    beating.cancel()


async def test_who_leaves_is_gone_at_once(cluster):
    a, b = [await cluster.join(id) for id in "ab"]
    await b.leave()
    await a.beat()
    assert ids(a.others) == [] and not b.valid


async def test_whoever_listens_hears_of_every_look(cluster):
    a = await cluster.join("a")
    heard = []
    a.listeners.append(lambda: heard.append(len(a.members)))
    await cluster.join("b")
    await a.beat()
    assert heard == [2]
