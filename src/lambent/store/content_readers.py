"""Who reads which contents: those stay until nobody does."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager


class ContentReaders:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    @contextmanager
    def one_of(self, names: Collection[str]) -> Iterator[None]:
        """A reader of all of them, each named once."""
        self._counts.update(names)
        try:
            yield
        finally:
            for name in names:
                self._counts[name] -= 1
                if not self._counts[name]:
                    del self._counts[name]

    def unread(self, names: Sequence[str]) -> Sequence[str]:
        return [name for name in names if name not in self._counts]
