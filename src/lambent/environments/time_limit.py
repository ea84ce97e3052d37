"""How long an environment's invocations may take."""

import asyncio
from collections.abc import Callable

from lambent.environments.link import LinkError, Reply


class InvocationTimeoutError(LinkError):
    """The function's time is up."""


class TimeLimit:
    """Of one invocation at a time. A timer costs more than an invocation has to spare: one serves many, and is set anew
    only when it has rung."""

    __slots__ = ("_loop", "_monotonic", "_seconds", "_started", "_timer", "waiting")

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._started = 0.0
        self.waiting: asyncio.Future[Reply] | None = None
        """None ends what `watch` has begun."""

    def watch(self, started: float, waiting: "asyncio.Future[Reply]") -> None:
        """Fails `waiting` with InvocationTimeoutError when the time is up since `started` (monotonic)."""
        self._started = started
        self.waiting = waiting
        if self._timer is None:
            self._set()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _set(self) -> None:
        left = self._seconds - (self._monotonic() - self._started)
        self._timer = self._loop.call_later(max(left, 0.0), self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self.waiting is None:
            return
        if self._monotonic() - self._started < self._seconds:
            self._set()
        elif not self.waiting.done():
            self.waiting.set_exception(InvocationTimeoutError())
