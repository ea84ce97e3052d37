"""Long searches that let others have their turn: matching runs on the event loop, which serves every caller."""

import asyncio

from lambent.base.clock import Clock

_TURN_SECONDS = 0.01


class Turns:
    """Of one search. A single event is matched in one go: at most 1 MB, half a second for the worst pattern."""

    def __init__(self, clock: Clock) -> None:
        self._monotonic = clock.monotonic
        self._since = self._monotonic()

    async def share(self) -> None:
        """To be called after each event; lets the loop go round where this turn has been long."""
        if self._monotonic() - self._since > _TURN_SECONDS:
            await asyncio.sleep(0)
            self._since = self._monotonic()
