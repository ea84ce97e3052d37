"""Group commit: many callers' writes in one transaction, each of them atomic on its own.

The sync to disk is paid once for a group instead of once for a write. What many callers do at once, such as
enqueueing, is handed over together: one savepoint for all, and rows inserted by one call.
"""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lambent.store.ports.errors import StoreClosedError
from lambent.store.sql.database import Connection

T = TypeVar("T")

_GROUP_MOST = 512


class Write:
    """One caller's write, and what became of it. With `item` (a tuple of one), `work` is given the items of all who
    name the same work. `synced`: the caller is told when it is on disk, and not already when it is made."""

    __slots__ = ("done", "error", "item", "loop", "result", "synced", "work")

    def __init__(
        self,
        work: Callable[..., Any],
        item: tuple[Any] | None,
        loop: asyncio.AbstractEventLoop,
        done: "asyncio.Future[Any]",
        *,
        synced: bool,
    ) -> None:
        self.work = work
        self.item = item
        self.loop = loop
        self.done = done
        self.synced = synced
        self.result: Any = None
        self.error: Exception | None = None


class Writer:
    """A thread that has groups of writes committed, one group after the other. `commit` makes the writes of a group,
    leaves in each its result or error, and sees to it that callers are told; it does not raise, so that none waits for
    ever.

    The thread is woken when the event loop has seen to all who were ready, not by the first of them: it would commit
    that one's write alone, and fight the others for the interpreter lock."""

    def __init__(self, name: str, commit: Callable[[list[Write]], None]) -> None:
        self._commit = commit
        self._submitted: deque[Write] = deque()
        self._wakes: queue.SimpleQueue[bool] = queue.SimpleQueue()
        """True is the last of them."""
        self._waking = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._closed = False

    def start(self) -> None:
        self._thread.start()

    def submit(
        self, work: Callable[..., Any], item: tuple[Any] | None, *, synced: bool = True
    ) -> "asyncio.Future[Any]":
        """Raises StoreClosedError."""
        if self._closed:
            raise StoreClosedError("the database is closed")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        self._submitted.append(Write(work, item, loop, done, synced=synced))
        if not self._waking:
            self._waking = True
            loop.call_soon(self._wake)
        return done

    def close(self) -> None:
        """Returns when what was submitted is committed. Blocking, idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._thread.is_alive():
            self._wakes.put(True)
            self._thread.join()

    def _wake(self) -> None:
        self._waking = False
        self._wakes.put(False)

    def _run(self) -> None:
        last = False
        while not last:
            last = self._wakes.get()
            while group := self._group():
                self._commit(group)

    def _group(self) -> list[Write]:
        """Of what was submitted by now; only the thread takes any."""
        return [self._submitted.popleft() for _ in range(min(len(self._submitted), _GROUP_MOST))]


def steps(group: Sequence[Write]) -> list[list[Write]]:
    """Those who share their work become one step, where the first of them stood; all others are steps of one."""
    found: list[list[Write]] = []
    shared: dict[Callable[..., Any], list[Write]] = {}
    for write in group:
        step = shared.get(write.work) if write.item else None
        if step is None:
            step = []
            found.append(step)
            if write.item:
                shared[write.work] = step
        step.append(write)
    return found


def run(connection: Connection, step: Sequence[Write]) -> None:
    """Runs the work of a step, and leaves its result. Raises what the work raises."""
    first = step[0]
    if first.item is None:
        first.result = first.work(connection)
    else:
        first.work(connection, [write.item[0] for write in step if write.item])


def tell(group: Sequence[Write]) -> None:
    """Tells each caller how its write went. Never raises."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Write]] = {}
    for write in group:
        by_loop.setdefault(write.loop, []).append(write)
    for loop, writes in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, writes)
        except RuntimeError:  # that loop was closed: nobody waits
            continue


def _settle(writes: Sequence[Write]) -> None:
    for write in writes:
        if write.done.done():  # the caller was cancelled; the change stays
            continue
        if write.error is not None:
            write.done.set_exception(write.error)
        else:
            write.done.set_result(write.result)
