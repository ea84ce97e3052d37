"""Consumers that wait for messages: long polling without looking again and again.

One who waits is woken for what was sent, or when something hidden may have become visible. Who then finds messages
wakes the next, so that a thousand consumers are not woken for one message.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Line:
    waiting: "deque[asyncio.Future[None]]" = field(default_factory=deque)
    woken: int = 0
    timer: asyncio.TimerHandle | None = None


class Waiters:
    """By queue id. Of one event loop."""

    def __init__(self) -> None:
        self._lines: dict[int, _Line] = {}
        self.ended = False
        """Nobody waits any more."""

    def mark(self, queue_id: int) -> int:
        """To be taken before looking for messages, so that what is sent while one looks is not missed."""
        line = self._lines.get(queue_id)
        return 0 if line is None else line.woken

    async def wait(self, queue_id: int, mark: int, seconds: float) -> None:
        """Returns when woken (at once, if that was since `mark`), or after so many seconds."""
        line = self._lines.setdefault(queue_id, _Line())
        if line.woken != mark or self.ended:
            return
        woken = asyncio.get_running_loop().create_future()
        line.waiting.append(woken)
        try:
            async with asyncio.timeout(seconds):  # wait_for would swallow being cancelled when just woken
                await woken
        except TimeoutError:
            self._leave(queue_id, line, woken)
        except asyncio.CancelledError:
            self._leave(queue_id, line, woken)
            raise

    def _leave(self, queue_id: int, line: _Line, woken: "asyncio.Future[None]") -> None:
        """Whoever goes although it was woken, passes that on."""
        if woken.done() and not woken.cancelled():
            self.wake(queue_id)
        elif woken in line.waiting:
            line.waiting.remove(woken)

    def wake(self, queue_id: int, count: int = 1) -> None:
        line = self._lines.setdefault(queue_id, _Line())
        line.woken += 1
        while count > 0 and line.waiting:
            woken = line.waiting.popleft()
            if not woken.done():
                woken.set_result(None)
                count -= 1

    def wake_each(self) -> None:
        """One of each queue's looks again: another node may have sent something."""
        for queue_id, line in list(self._lines.items()):
            if line.waiting:
                self.wake(queue_id)

    def wake_all(self, queue_id: int) -> None:
        """There is no such queue any more: nobody will wait for it again."""
        line = self._lines.pop(queue_id, None)
        if line is None:
            return
        if line.timer is not None:
            line.timer.cancel()
        for woken in line.waiting:
            if not woken.done():
                woken.set_result(None)

    def end(self) -> None:
        self.ended = True
        for queue_id in list(self._lines):
            self.wake_all(queue_id)

    def wake_in(self, queue_id: int, seconds: float) -> None:
        """When something becomes visible. The earliest moment counts; who is woken says when the next one is."""
        loop = asyncio.get_running_loop()
        line = self._lines.setdefault(queue_id, _Line())
        if line.timer is not None:
            if line.timer.when() <= loop.time() + seconds:
                return
            line.timer.cancel()
        line.timer = loop.call_later(seconds, self._due, queue_id)

    def _due(self, queue_id: int) -> None:
        line = self._lines.get(queue_id)
        if line is not None:
            line.timer = None
            self.wake(queue_id)
