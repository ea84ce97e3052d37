import pytest

from lambent.model.delivery import Delivery
from lambent.model.event_bus import EventBus
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.fence import Fence, LeaseLostError, under
from lambent.store.ports.named_records import Name
from lambent.store.ports.nodes import Node

ACCOUNT, REGION = "123456789012", "eu-west-1"


def name(text: str, parent: str = "", region: str = REGION) -> Name:
    return Name(ACCOUNT, region, parent, text)


def bus(text: str, **members) -> EventBus:
    return EventBus(name=text, created_at=1.0, modified_at=1.0, **members)


async def names(stores, **parameters) -> list[tuple[str, str]]:
    found = await stores.buses.page(ACCOUNT, REGION, **({"limit": 10} | parameters))
    return [(key.parent, key.name) for key, _ in found]


async def test_a_record_is_found_by_its_whole_name(stores):
    value = bus("b", settings={"DeadLetterConfig": {"Arn": "a"}}, tags={"k": "v"}, policy="{}")
    await stores.buses.insert(name("b"), value)
    assert await stores.buses.get(name("b")) == value
    assert await stores.buses.get(name("b", parent="p")) is None
    assert await stores.buses.get(name("b", region="us-east-1")) is None
    assert await stores.other_buses.get(name("b")) is None, "another kind"
    with pytest.raises(AlreadyExistsError):
        await stores.buses.insert(name("b"), bus("b"))
    assert await stores.buses.get(name("b")) == value


async def test_replacing_compares_with_what_is_stored(stores):
    await stores.buses.insert(name("b"), bus("b"))
    await stores.buses.replace(name("b"), bus("b", policy="1"), previous=bus("b"))
    with pytest.raises(StaleRevisionError):
        await stores.buses.replace(name("b"), bus("b", policy="2"), previous=bus("b"))
    assert (await stores.buses.get(name("b"))).policy == "1"
    with pytest.raises(NotFoundError):
        await stores.buses.replace(name("c"), bus("c"), previous=bus("c"))


async def test_renaming_moves_a_record_where_there_is_room(stores):
    await stores.buses.insert(name("b"), bus("b"))
    await stores.buses.insert(name("taken"), bus("taken"))
    with pytest.raises(AlreadyExistsError):
        await stores.buses.rename(name("b"), name("taken"), bus("taken", policy="1"), previous=bus("b"))
    with pytest.raises(StaleRevisionError):
        await stores.buses.rename(name("b"), name("c"), bus("c"), previous=bus("b", policy="1"))
    assert await names(stores) == [("", "b"), ("", "taken")]
    await stores.buses.rename(name("b"), name("c"), bus("c"), previous=bus("b"))
    assert await names(stores) == [("", "c"), ("", "taken")]
    assert await stores.buses.get(name("c")) == bus("c")
    with pytest.raises(NotFoundError):
        await stores.buses.rename(name("b"), name("d"), bus("d"), previous=bus("b"))


async def test_what_is_deleted_is_gone(stores):
    await stores.buses.insert(name("b"), bus("b"), due_at=1.0)
    await stores.buses.delete(name("b"))
    assert await stores.buses.get(name("b")) is None
    assert await stores.buses.next_due() is None
    with pytest.raises(NotFoundError):
        await stores.buses.delete(name("b"))


async def test_pages_are_by_parent_and_name(stores):
    for parent, text in (("q", "a"), ("p", "b"), ("p", "aa"), ("p", "ab")):
        await stores.buses.insert(name(text, parent), bus(text))
    assert await names(stores) == [("p", "aa"), ("p", "ab"), ("p", "b"), ("q", "a")]
    assert await names(stores, parent="p", prefix="a") == [("p", "aa"), ("p", "ab")]
    assert await names(stores, after=("p", "ab"), limit=1) == [("p", "b")]
    assert await names(stores, prefix="%") == []


async def test_due_records_come_in_the_order_of_their_times(stores):
    await stores.buses.insert(name("late"), bus("late"), due_at=30.0)
    await stores.buses.insert(name("early", region="us-east-1"), bus("early"), due_at=10.0)
    await stores.buses.insert(name("never"), bus("never"))
    assert await stores.buses.next_due() == 10.0
    due = await stores.buses.due(now=30.0, limit=10)
    assert [(each.name.name, each.value.name, each.due_at) for each in due] == [
        ("early", "early", 10.0),
        ("late", "late", 30.0),
    ]
    assert [each.name.name for each in await stores.buses.due(now=29.9, limit=10)] == ["early"]


async def test_what_is_due_later_comes_by_name(stores):
    for region in ("us-east-1", "eu-west-1"):
        for each, due_at in (("now", 20.0), ("late", 50.0), ("later", 50.0), ("never", None)):
            await stores.buses.insert(name(each, region=region), bus(each), due_at=due_at)
    found = await stores.buses.due_later(than=20.0, after=None, limit=3)
    assert [(each.name.region, each.name.name, each.due_at) for each in found] == [
        ("eu-west-1", "late", 50.0),
        ("eu-west-1", "later", 50.0),
        ("us-east-1", "late", 50.0),
    ]
    (rest,) = await stores.buses.due_later(than=20.0, after=found[-1].name, limit=3)
    assert (rest.name.region, rest.name.name, rest.value.name) == ("us-east-1", "later", "later")


async def test_replacing_may_leave_the_time_as_it_is(stores):
    await stores.buses.insert(name("b"), bus("b"), due_at=10.0)
    await stores.buses.replace(name("b"), bus("b", policy="1"), previous=bus("b"), keeps_due=True)
    assert await stores.buses.next_due() == 10.0
    await stores.buses.replace(name("b"), bus("b"), previous=bus("b", policy="1"), due_at=20.0)
    assert await stores.buses.next_due() == 20.0
    await stores.buses.replace(name("b"), bus("b"), previous=bus("b"))
    assert await stores.buses.next_due() is None


def delivery() -> Delivery:
    return Delivery(
        queue="events",
        account_id=ACCOUNT,
        region=REGION,
        source_arn="arn",
        target={"Arn": "a"},
        payload=b"{}",
        accepted_at=10.0,
        due_at=10.0,
    )


async def test_advancing_stores_the_next_time_and_the_deliveries_together(stores):
    await stores.buses.insert(name("b"), bus("b"), due_at=10.0)
    await stores.buses.advance(
        name("b"), previous=bus("b"), value=bus("b", policy="1"), due_at=20.0, deliveries=[delivery()]
    )
    assert await stores.buses.next_due() == 20.0
    assert (await stores.buses.get(name("b"))).policy == "1"
    assert await stores.target_deliveries.depth("events") == 1


async def test_a_time_is_dealt_with_once(stores):
    await stores.buses.insert(name("b"), bus("b"), due_at=10.0)
    with pytest.raises(StaleRevisionError):
        await stores.buses.advance(
            name("b"), previous=bus("b", policy="0"), value=bus("b"), due_at=20.0, deliveries=[delivery()]
        )
    assert await stores.target_deliveries.depth("events") == 0
    await stores.buses.advance(name("b"), previous=bus("b"), value=None, due_at=None, deliveries=[delivery()])
    with pytest.raises(NotFoundError):
        await stores.buses.advance(
            name("b"), previous=bus("b"), value=None, due_at=None, deliveries=[delivery()]
        )
    assert await stores.buses.get(name("b")) is None
    assert await stores.target_deliveries.depth("events") == 1


async def test_others_hear_of_what_is_deleted_when_it_is_due(stores):
    await stores.noted_buses.insert(name("b"), bus("b"), due_at=10.0)
    seen = [change.number for change in await stores.changes.since(0)]
    await stores.noted_buses.advance(name("b"), previous=bus("b"), value=None, due_at=None, deliveries=())
    assert len(await stores.changes.since(0)) == len(seen) + 1


async def test_all_are_of_every_account_and_region(stores):
    for key in (name("b", region="us-east-1"), name("a", "p"), Name("999999999999", REGION, "", "c")):
        await stores.buses.insert(key, bus(key.name))
    assert [value.name for _, value in await stores.buses.all()] == ["a", "b", "c"]
    assert (await stores.buses.all())[0][0] == name("a", "p")
    assert await stores.other_buses.all() == []


async def test_who_has_lost_the_lease_under_which_he_works_advances_nothing(stores):
    a, b = (Node(id=id, incarnation="1", address="", zone="z", roles=("poller",), version="1") for id in "ab")
    for node in (a, b):
        await stores.nodes.join(node, 60.0)
    first = await stores.nodes.acquire("timer", a, 60.0)
    await stores.buses.insert(name("b"), bus("b"), due_at=1.0)

    async def advance(node: Node, token: int, due_at: float) -> None:
        with under(Fence("timer", node.id, token)):
            await stores.buses.advance(
                name("b"), previous=bus("b"), value=bus("b"), due_at=due_at, deliveries=()
            )

    await advance(a, first, 2.0)
    await stores.nodes.release("timer", a, first)
    second = await stores.nodes.acquire("timer", b, 60.0)
    await advance(b, second, 3.0)
    with pytest.raises(LeaseLostError):
        await advance(a, first, 2.0)
    assert await stores.buses.next_due() == 3.0
