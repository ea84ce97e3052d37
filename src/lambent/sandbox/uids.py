"""Which user each sandbox is. No two live ones share one: the kernel counts processes, signals and keys by it."""

from typing import Protocol

from lambent.sandbox.port import SandboxError


class Uids(Protocol):
    @property
    def supervisor(self) -> int: ...

    def take(self) -> int:
        """Raises SandboxError."""
        ...

    def release(self, uid: int) -> None: ...


class OneUid:
    """There is no other: every sandbox has it."""

    def __init__(self, uid: int) -> None:
        self.supervisor = uid

    def take(self) -> int:
        return self.supervisor

    def release(self, uid: int) -> None:
        """Nobody else waits for it."""


class UidRange:
    """`count` uids from `first` on, which nobody else on the machine has. The first is every supervisor's.
    Servers that share a range begin at different places (`start`), so that they hardly meet."""

    def __init__(self, first: int, count: int, *, start: int = 0) -> None:
        if first < 1000 or count < 2:
            raise ValueError(f"not a range of unprivileged users: {count} from {first} on")
        self.first = first
        self.count = count
        self.supervisor = first
        self._next = first + 1 + start % (count - 1)
        self._taken: set[int] = set()

    def take(self) -> int:
        """The one that was free longest, roughly. Raises SandboxError where all are taken."""
        if len(self._taken) >= self.count - 1:
            raise SandboxError(f"all {self.count - 1} sandbox users are in use")
        while self._next in self._taken:
            self._advance()
        uid = self._next
        self._taken.add(uid)
        self._advance()
        return uid

    def release(self, uid: int) -> None:
        self._taken.remove(uid)

    def _advance(self) -> None:
        self._next += 1
        if self._next >= self.first + self.count:
            self._next = self.first + 1
