from hypothesis import given
from hypothesis import strategies as st

from lambent.event_sources.batching import POLL_SECONDS, BatchRules, Deliver, Gathered, Poll, next_step
from lambent.event_sources.source import Record


def gathered(*sizes: int, since: float = 0.0) -> Gathered:
    waiting = Gathered()
    for number, size in enumerate(sizes):
        waiting.add([Record(id=str(number), payload={}, text=b"x" * size, handle="")], since + number)
    return waiting


def test_nothing_is_waited_for_long():
    assert next_step(gathered(), 99.0, BatchRules(size=10), ahead=0) == Poll(10, POLL_SECONDS)


def test_without_a_window_what_is_there_goes():
    assert next_step(gathered(1, 1), 5.0, BatchRules(size=10), ahead=0) == Deliver(2)


def test_a_window_is_waited_for():
    rules = BatchRules(size=10, window_seconds=5.0)
    assert next_step(gathered(1, 1, since=10.0), 12.0, rules, ahead=0) == Poll(8, 3.0)
    assert next_step(gathered(1, 1, since=10.0), 15.0, rules, ahead=0) == Deliver(2)


def test_a_full_batch_waits_for_nothing():
    rules = BatchRules(size=2, window_seconds=300.0)
    assert next_step(gathered(1, 1, 1), 0.0, rules, ahead=0) == Deliver(2)


def test_a_batch_does_not_outgrow_the_payload():
    rules = BatchRules(size=10, window_seconds=300.0, payload_most=1256)
    assert next_step(gathered(600, 300), 0.0, rules, ahead=0) == Poll(8, 300.0)
    assert next_step(gathered(600, 300, 300), 0.0, rules, ahead=0) == Deliver(2)
    assert next_step(gathered(5000, 1), 0.0, rules, ahead=0) == Deliver(1)


def test_room_for_further_batches_is_polled_for():
    assert next_step(gathered(), 0.0, BatchRules(size=1), ahead=4) == Poll(5, POLL_SECONDS)


@given(
    st.lists(st.integers(0, 400), max_size=30),
    st.integers(1, 12),
    st.floats(0, 10),
    st.floats(0, 20),
    st.integers(300, 2000),
)
def test_whatever_waits_goes_in_fitting_batches(sizes, size, window, age, most):
    rules = BatchRules(size=size, window_seconds=window, payload_most=most)
    waiting = gathered(*sizes)
    step = next_step(waiting, age, rules, ahead=0)
    if isinstance(step, Deliver):
        assert 1 <= step.count <= min(size, len(sizes))
        batch = waiting.take(step.count)
        total = sum(len(record.text) + 1 for record in batch)
        assert step.count == 1 or total <= most - 256
        assert [record.id for record in batch + waiting.records] == [str(n) for n in range(len(sizes))]
        assert waiting.size == sum(len(record.text) + 1 for record in waiting.records)
    else:
        assert len(sizes) < size and (not sizes or age < window)
        assert 1 <= step.most <= size and 0 < step.wait_seconds <= POLL_SECONDS
