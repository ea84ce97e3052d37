"""Time as a dependency, so that tests need not wait for it."""

import time
from typing import Protocol

_JUMP_LEAST_SECONDS = 2.0
_DOUBTED_SECONDS = 7 * 86_400.0


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the Unix epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean something."""
        ...


class SystemClock:
    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


class MillisecondClock:
    """Another clock, without what is below a millisecond: for timestamps that are shown as they are stored."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.monotonic = clock.monotonic

    def now(self) -> float:
        return round(self._clock.now(), 3)


class Jumps:
    """Notices when the wall clock was set: by an administrator, or after a start with an empty battery. What it has not
    seen itself it does not know of; so it is asked now and then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = clock.now() - clock.monotonic()
        self._started_offset = self._offset
        self._forward: list[tuple[float, float, float]] = []
        """When, as the wall clock was before, by how many seconds, and when that was seen (monotonic)."""

    def look(self) -> float:
        """By how many seconds the wall clock was set since the last look, 0 for a moment more or less."""
        offset = self._clock.now() - self._clock.monotonic()
        jumped, before = offset - self._offset, self._clock.monotonic() + self._offset
        self._offset = offset
        if abs(jumped) < _JUMP_LEAST_SECONDS:
            return 0.0
        if jumped > 0:
            self._forward.append((before, jumped, self._clock.monotonic()))
        return jumped

    def forward_within(self, seconds: float) -> float:
        """By how many seconds it was set forward in this last time. What was written before seems so much older."""
        since = self._clock.monotonic() - seconds
        return sum(jumped for _, jumped, seen_at in self._forward if seen_at >= since)

    def believed(self) -> float:
        """Now, less what the wall clock was set forward in the last week. For who deletes what is old: a wrong clock
        has to stay wrong for so long before data is lost to it."""
        self.look()
        return self._clock.now() - self.forward_within(_DOUBTED_SECONDS)

    def steady(self) -> float:
        """The time that it would be if the wall clock had not been set since this was made."""
        return self._clock.monotonic() + self._started_offset

    def translated(self, at: float) -> float:
        """What the wall clock would have shown at the time `at` if it had been set before already. Only forward: then a
        time of before is no time of after, and nothing is taken for older than it is."""
        for before, seconds, _ in self._forward:
            if at <= before:
                at += seconds
        return at


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._set_by = 0.0

    def now(self) -> float:
        return self._now + self._set_by

    def monotonic(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds

    def set_by(self, seconds: float) -> None:
        """Only the wall clock, as an administrator does."""
        self._set_by += seconds
