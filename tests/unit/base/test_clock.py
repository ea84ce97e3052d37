from lambent.base.clock import Clock, Jumps, ManualClock, SystemClock


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


def test_a_jump_is_seen_once_and_drift_is_none():
    clock = ManualClock(1000.0)
    jumps = Jumps(clock)
    clock.advance(50.0)
    clock.set_by(0.5)
    assert jumps.look() == 0.0
    clock.set_by(3600.0)
    assert jumps.look() == 3600.0
    assert jumps.look() == 0.0
    clock.set_by(-7200.0)
    assert jumps.look() == -7200.0
    assert jumps.steady() == 1050.0


def test_a_time_of_before_is_carried_over_a_jump_and_one_of_after_is_not():
    clock = ManualClock(1000.0)
    jumps = Jumps(clock)
    clock.advance(10.0)
    before = clock.now()
    clock.advance(10.0)
    clock.set_by(3600.0)
    jumps.look()
    after = clock.now()
    assert (jumps.translated(before), jumps.translated(after)) == (before + 3600.0, after)
    clock.advance(10.0)
    clock.set_by(-3600.0)
    jumps.look()
    now = clock.now()
    clock.advance(10.0)
    clock.set_by(86400.0)
    jumps.look()
    # Each is as old as it is, whichever jumps lie between.
    assert clock.now() - jumps.translated(now) == 10.0
    assert jumps.translated(clock.now()) == clock.now()


def test_for_a_time_it_is_known_how_far_the_clock_was_set_forward():
    clock = ManualClock(1000.0)
    jumps = Jumps(clock)
    for seconds in (3600.0, -1800.0, 600.0):
        clock.advance(10.0)
        clock.set_by(seconds)
        jumps.look()
    assert jumps.forward_within(60.0) == 4200.0
    assert jumps.forward_within(15.0) == 600.0
    clock.advance(100.0)
    assert jumps.forward_within(60.0) == 0.0
