import random
import string
from dataclasses import replace

import pytest

from lambent.model.tally import MetricKey, Tally
from lambent.store.ports.metrics import Minute

HITS = MetricKey(
    account_id="1", region="us-east-1", namespace="Shop", name="Hits", dimensions=(("Page", "home"),)
)


def tally(*values: float) -> Tally:
    made = Tally()
    for value in values:
        made.add(value)
    return made


@pytest.fixture
def store(stores):
    return stores.metrics


async def test_what_is_added_to_a_minute_is_merged(store):
    minute = Minute(HITS, "Count", 60)
    await store.add({minute: tally(1, 2)})
    await store.add({minute: tally(5), Minute(HITS, "Count", 120): tally(7)})
    assert await store.read(HITS, start=60, end=120) == [(minute, tally(1, 2, 5))]
    assert [found.start for found, _ in await store.read(HITS, start=0, end=1000)] == [60, 120]
    assert await store.read(replace(HITS, name="Other"), start=0, end=1000) == []


async def test_a_spread_that_is_not_known_stays_so(store):
    minute = Minute(HITS, "None", 60)
    await store.add({minute: Tally(count=2, sum=3, minimum=1, maximum=2, values=None)})
    await store.add({minute: tally(5)})
    ((_, found),) = await store.read(HITS, start=0, end=100)
    assert found == Tally(count=3, sum=8, minimum=1, maximum=5, values=None)


async def test_metrics_are_listed_in_the_order_in_which_they_came(store):
    others = [replace(HITS, name=name) for name in ("B", "A")]
    for metric in (HITS, *others, replace(HITS, account_id="2")):
        await store.add({Minute(metric, "Count", 60): tally(1)})
    await store.add({Minute(HITS, "Count", 600): tally(1)})
    listed = await store.page("1", "us-east-1", limit=10)
    assert [metric for _, metric in listed] == [HITS, *others]
    assert [metric for _, metric in await store.page("1", "us-east-1", after=listed[0][0], limit=1)] == [
        others[0]
    ]
    assert [metric for _, metric in await store.page("1", "us-east-1", name="A", limit=9)] == [others[1]]
    assert await store.page("1", "us-east-1", namespace="Nothing", limit=9) == []
    assert [metric for _, metric in await store.page("1", "us-east-1", active_since=100, limit=9)] == [HITS]


async def test_old_minutes_become_coarser_and_then_go(store):
    for start in (0, 60, 240, 300, 900):
        await store.add({Minute(HITS, "Count", start): tally(start)})
    while await store.roll_up(before=600, seconds=300):
        pass
    found = await store.read(HITS, start=0, end=1000)
    assert [(minute.start, each.count, each.sum) for minute, each in found] == [
        (0, 3, 300),
        (300, 1, 300),
        (900, 1, 900),
    ]
    assert await store.expire(before=600, limit=1) == 1
    assert await store.expire(before=600, limit=9) == 1
    assert [minute.start for minute, _ in await store.read(HITS, start=0, end=1000)] == [900]
    await store.expire(before=1000, limit=9)
    assert await store.page("1", "us-east-1", limit=9) == []


async def test_dimensions_may_be_longer_than_an_index_takes(store):
    """Up to 30 of 255 and 1,024 characters; random ones, which cannot be compressed."""
    chance = random.Random(1)
    values = ["".join(chance.choices(string.ascii_letters + string.digits, k=1024)) for _ in range(30)]
    long = replace(HITS, dimensions=tuple((f"{n:02}" + "n" * 253, value) for n, value in enumerate(values)))
    other = replace(long, dimensions=(*long.dimensions[:-1], (long.dimensions[-1][0], "other")))
    for metric in (long, other, long):
        await store.add({Minute(metric, "Count", 60): tally(1)})
    assert [metric for _, metric in await store.page("1", "us-east-1", limit=10)] == [long, other]
    ((_, found),) = await store.read(long, start=0, end=100)
    assert found == tally(1, 1)
