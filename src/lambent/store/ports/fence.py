"""What is done under a lease says so in what it writes, and is refused where the lease is somebody else's by then.

A node that was stopped for a while may go on with what it had begun before it learns that another does it now. The
store compares the token of its lease in the transaction that writes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from lambent.store.ports.errors import StoreError


class LeaseLostError(StoreError):
    """Somebody else has the lease, or nobody: nothing was written."""


@dataclass(frozen=True, slots=True)
class Fence:
    """A lease as its holder knows it: `token` grows with every new holder."""

    name: str
    holder: str
    token: int


_held: ContextVar[Fence | None] = ContextVar("the lease under which this is done", default=None)


@contextmanager
def under(fence: Fence) -> Iterator[None]:
    """What is done here, and the tasks that are begun here, is under this lease."""
    before = _held.set(fence)
    try:
        yield
    finally:
        _held.reset(before)


def held() -> Fence | None:
    """None where it is under none."""
    return _held.get()
