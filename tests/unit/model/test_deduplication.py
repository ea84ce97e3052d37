from lambent.base.clock import ManualClock
from lambent.model.deduplication import DeduplicationWindow

HOUR = 3600.0


def test_an_id_holds_for_five_minutes() -> None:
    clock = ManualClock()
    window = DeduplicationWindow(clock)
    until = window.until()
    clock.advance(299.9)
    assert window.now() < until
    clock.advance(0.1)
    assert window.now() >= until


def test_it_holds_as_long_where_the_clock_is_set_forward_meanwhile() -> None:
    clock = ManualClock()
    window = DeduplicationWindow(clock)
    until = window.until()
    clock.advance(100)
    clock.set_by(30 * HOUR)
    assert window.now() < until
    later = window.until()
    clock.advance(199)
    assert window.now() < until
    clock.advance(102)
    assert window.now() >= later >= until


def test_what_was_sent_by_a_clock_that_is_set_back_is_over_when_all_else_is() -> None:
    clock = ManualClock()
    window = DeduplicationWindow(clock)
    until = window.until()
    assert window.latest() > until + 1e12, "and nothing is that another clock is ahead"
    clock.set_by(-30 * HOUR)
    assert window.now() < window.latest() == window.until() < until
    assert window.latest() > until
