"""Threads for what would hold up the event loop: its result comes back as an asyncio future.

`run_in_executor` makes a second future, with a lock and callbacks, for each piece of work: 20 µs of CPU instead of 9,
which every read of the database would pay.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_Task = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class Threads:
    """`count` of them, from `start` to `close`. Work is begun in the order in which it was given."""

    def __init__(self, name: str, count: int) -> None:
        self._pending: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        self._started = False

    def start(self) -> None:
        self._started = True
        for thread in self._threads:
            thread.start()

    def run(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        """What `work` returns or raises. It is done to its end when nobody waits for it any more."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._pending.put((work, loop, done))
        return done

    def close(self) -> None:
        """When all that was given is done; nothing may be given then. Blocking, idempotent."""
        if not self._started:
            return
        self._started = False
        for _ in self._threads:
            self._pending.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while (task := self._pending.get()) is not None:
            work, loop, done = task
            result: Any = None
            error: BaseException | None = None
            try:
                result = work()
            except BaseException as raised:
                error = raised
            try:
                loop.call_soon_threadsafe(_settle, done, result, error)
            except RuntimeError:  # that loop was closed: nobody waits
                continue
            finally:
                del task, work, done, result, error  # what is large is not to live until the next work comes


def _settle(done: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if done.done():  # its caller was cancelled
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)
