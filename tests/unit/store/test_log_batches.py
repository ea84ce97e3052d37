from hypothesis import given
from hypothesis import strategies as st

from lambent.store.log_batches import SPAN_MOST_MS, batches, events_of, in_order
from lambent.store.ports.logs import LogEvent

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
logged = st.lists(st.builds(LogEvent, st.integers(0, 10**7), st.integers(1, 3), texts), max_size=60)


@given(logged)
def test_cutting_and_reading_loses_nothing_and_keeps_the_order_of_one_time(events):
    cut = list(batches(events))
    read = [event for number, batch in enumerate(cut) for event in events_of(number, batch.blob, "s")]
    assert [(event.timestamp_ms, event.ingestion_ms, event.message) for event in read] == [
        (event.timestamp_ms, event.ingestion_ms, event.message)
        for event in sorted(events, key=lambda event: event.timestamp_ms)
    ]
    assert sum(batch.stored_bytes for batch in cut) == sum(
        26 + len(event.message.encode()) for event in events
    )
    assert all(batch.last_ms - batch.first_ms <= SPAN_MOST_MS for batch in cut)
    assert [event.id for event in read] == sorted({event.id for event in read})


def test_a_batch_is_bounded_in_events_and_bytes():
    many = [LogEvent(1, 1, "x") for _ in range(2500)]
    assert len(list(batches(many))) == 3
    big = [LogEvent(1, 1, "x" * 262_118) for _ in range(8)]
    assert len(list(batches(big))) == 2


def test_a_page_loads_no_batch_that_it_does_not_need():
    stored = {n: [LogEvent(10 * n, 1, "m", "s", n << 12)] for n in range(100)}
    for descending, wanted in ((False, [0, 1, 2, 3]), (True, [99, 98, 97, 96])):
        loaded: list[int] = []

        def load(number: int, loaded: list[int] = loaded) -> list[LogEvent]:
            loaded.append(number)
            return stored[number]

        found = sorted(((10 * n, n) for n in stored), reverse=descending)
        in_order(found, load, span_ms=0, descending=descending, limit=3)
        assert loaded == wanted[:3]
