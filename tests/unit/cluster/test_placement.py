from hypothesis import given
from hypothesis import strategies as st

from lambent.cluster.placement import Placement, placed
from lambent.store.ports.nodes import Node


def node(id, zone, roles=("worker",)):
    return Node(id=id, incarnation="", address="", zone=zone, roles=roles, version="1")


NODES = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("xyz"), min_size=1).map(
    lambda zones: [node(id, zone) for id, zone in zones.items()]
)


@given(st.text(max_size=3), st.integers(0, 100), NODES)
def test_all_are_placed_evenly_over_zones_and_over_the_nodes_of_each(name, count, nodes):
    counts = placed(name, count, nodes)
    assert sum(counts.values()) == count
    zones = {}
    for each in nodes:
        zones.setdefault(each.zone, []).append(counts[each.id])
    of_zones = [sum(zone) for zone in zones.values()]
    assert max(of_zones) - min(of_zones) <= 1
    assert all(max(zone) - min(zone) <= 1 for zone in zones.values())
    assert placed(name, count, nodes[::-1]) == counts, "every node comes to the same result"


def test_not_everything_begins_with_the_same_node():
    nodes = [node("a", "x"), node("b", "y")]
    assert {max(placed(name, 1, nodes).items(), key=lambda item: item[1])[0] for name in "12345678"} == {
        "a",
        "b",
    }


def test_without_nodes_nothing_is_placed():
    assert placed("f", 3, []) == {}


async def test_a_node_that_comes_or_goes_is_told_and_others_are_not_counted_out_by_their_time_alone(cluster):
    a = await cluster.join("a")
    placement, told = Placement(a, "worker"), []
    placement.changed = lambda: told.append(placement.here("f", 4))
    await cluster.join("api", roles=("api",))
    await a.look()
    assert told == [4]
    b = await cluster.join("b")
    await a.look()
    await a.look()
    assert told == [4, 2]
    cluster.clock.advance(60.0)  # the database was away: everybody's time is over
    await a.look()
    assert told == [4, 2]
    await b.leave()
    await a.look()
    assert told == [4, 2, 4]
