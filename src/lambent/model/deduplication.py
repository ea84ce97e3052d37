"""For how long FIFO queues and topics know a deduplication id, also where the wall clock is set meanwhile."""

from lambent.base.clock import Clock, Jumps

WINDOW_MS = 300_000


class DeduplicationWindow:
    """Times in milliseconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jumps = Jumps(clock)

    def now(self) -> int:
        """What is over by then was sent five minutes ago, and not before the clock was set forward in these minutes."""
        self._jumps.look()
        return int((self._clock.now() - self._jumps.forward_within(WINDOW_MS / 1000)) * 1000)

    def until(self) -> int:
        """When what is sent now will be over. What would be later was sent by a clock that was ahead."""
        return int(self._clock.now() * 1000) + WINDOW_MS
