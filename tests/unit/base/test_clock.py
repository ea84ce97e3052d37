from lambent.base.clock import Clock, ManualClock, SystemClock


def test_a_manual_clock_moves_when_told_to():
    clock: Clock = ManualClock(10.0)
    assert (clock.now(), clock.monotonic()) == (10.0, 10.0)
    assert isinstance(clock, ManualClock)
    clock.advance(2.5)
    assert (clock.now(), clock.monotonic()) == (12.5, 12.5)


def test_the_system_clock_tells_the_time_of_day_and_never_goes_back():
    clock: Clock = SystemClock()
    assert clock.now() > 1_700_000_000
    assert clock.monotonic() <= clock.monotonic()
