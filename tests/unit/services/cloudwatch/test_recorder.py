import pytest

from lambent.base.clock import ManualClock
from lambent.model.tally import MetricKey
from lambent.services.cloudwatch import Recorder
from lambent.store.ports.errors import StoreError
from lambent.store.ports.metrics import Minute

SENT = MetricKey(
    account_id="1", region="r", namespace="AWS/SQS", name="Sent", dimensions=(("QueueName", "q"),)
)


class Store:
    """Of metrics, that fails when it is told to."""

    def __init__(self):
        self.added = []
        self.fails = False

    async def add(self, tallies):
        if self.fails:
            raise StoreError("no")
        self.added.append(dict(tallies))


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def recorder(store):
    return Recorder(store, ManualClock(start=125.0))


def put(recorder, value=1.0):
    recorder.put("1", "r", "AWS/SQS", "Sent", value, unit="Count", dimensions={"QueueName": "q"})


async def test_what_is_counted_is_stored_once(recorder, store):
    put(recorder, 2)
    put(recorder, 3)
    await recorder.flush()
    await recorder.flush()
    ((minute, tally),) = store.added[0].items()
    assert minute == Minute(SENT, "Count", 120)
    assert (tally.count, tally.sum, tally.maximum) == (2, 5, 3)
    assert len(store.added) == 1
    assert recorder.totals[SENT, "Count"].sum == 5


async def test_what_was_earlier_is_counted_where_it_was(recorder, store):
    recorder.put("1", "r", "AWS/SQS", "Sent", 1, unit="Count", dimensions={"QueueName": "q"}, at=59.0)
    await recorder.flush()
    assert list(store.added[0]) == [Minute(SENT, "Count", 0)]


async def test_what_is_not_taken_is_counted_on(recorder, store):
    put(recorder)
    store.fails = True
    with pytest.raises(StoreError):
        await recorder.flush()
    put(recorder)
    store.fails = False
    await recorder.flush()
    (tally,) = store.added[0].values()
    assert tally.count == 2


async def test_a_metric_too_many_is_stored_without_a_total(recorder, store, monkeypatch):
    monkeypatch.setattr("lambent.services.cloudwatch.recorder._TOTALS_MOST", 0)
    put(recorder, 2)
    await recorder.flush()
    assert [tally.sum for tally in store.added[0].values()] == [2]
    assert recorder.totals == {}
