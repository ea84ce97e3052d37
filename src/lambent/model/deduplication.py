"""For how long FIFO queues and topics know a deduplication id, also where the wall clock is set meanwhile."""

from lambent.base.clock import Clock, Jumps

WINDOW_MS = 300_000
_NEVER = 2**62


class DeduplicationWindow:
    """Times in milliseconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jumps = Jumps(clock)
        self._set_back = False

    def now(self) -> int:
        """What is over by then was sent five minutes ago, and not before the clock was set forward in these minutes."""
        self._look()
        return int((self._clock.now() - self._jumps.forward_within(WINDOW_MS / 1000)) * 1000)

    def until(self) -> int:
        """When what is sent now will be over."""
        return int(self._clock.now() * 1000) + WINDOW_MS

    def latest(self) -> int:
        """When all will be over that is known: only where the clock was set back since this was asked last, for another
        node's clock may be ahead by right."""
        self._look()
        set_back, self._set_back = self._set_back, False
        return self.until() if set_back else _NEVER

    def _look(self) -> None:
        self._set_back = self._jumps.look() < 0 or self._set_back
