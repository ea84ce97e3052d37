"""Who notes what is in the contract of each store; here is what becomes of a note."""

from lambent.model.event_bus import EventBus
from lambent.store.ports.named_records import Name


def bus(name):
    return Name("123456789012", "eu-west-1", "", name), EventBus(name=name, created_at=1.0, modified_at=1.0)


async def write(stores, *names):
    for name in names:
        await stores.noted_buses.insert(*bus(name))


async def test_what_is_written_is_noted_in_its_order(stores):
    assert await stores.changes.bounds() == (0, 0)
    await write(stores, "a", "b")
    first, last = await stores.changes.bounds()
    assert last > first > 0
    found = await stores.changes.since(0)
    assert [(each.kind, each.key) for each in found] == [
        ("noted bus", "123456789012/eu-west-1//a"),
        ("noted bus", "123456789012/eu-west-1//b"),
    ]
    assert all(0 <= each.age_seconds < 10 for each in found)
    assert [each.number for each in await stores.changes.since(first)] == [last]


async def test_records_that_nobody_remembers_are_not_noted(stores):
    await stores.buses.insert(*bus("a"))
    assert await stores.changes.since(0) == []


async def test_what_is_old_is_forgotten_but_for_the_last(stores):
    await write(stores, "a", "b", "c")
    assert await stores.changes.forget(older_than_seconds=60.0) == 0
    assert await stores.changes.forget(older_than_seconds=-1.0) == 2
    assert [each.key[-1] for each in await stores.changes.since(0)] == ["c"]


async def test_numbers_never_come_again(stores):
    await write(stores, "a", "b")
    _, last = await stores.changes.bounds()
    await stores.changes.forget(older_than_seconds=-1.0)
    await write(stores, "c")
    assert (await stores.changes.bounds())[1] > last
