"""Which minutes of a filter had events but no match: they get its default value when they are over."""

from collections.abc import Iterator

from lambent.services.logs.known_filters import GroupKey

Which = tuple[GroupKey, str]
"""The log group and the name of a filter."""

_MINUTE = 60
_GRACE_SECONDS = 5.0
"""Functions' events arrive a moment after they were written."""
_REMEMBERED_SECONDS = 300.0
"""For how long a minute is known to have had its default value, or needed none."""


class Defaults:
    """A crash forgets the minutes that were not over."""

    def __init__(self) -> None:
        self._settled: dict[tuple[Which, int], float] = {}
        self._open: dict[tuple[Which, int], float] = {}

    def note(self, which: Which, at: float, *, matches: bool, now: float) -> None:
        entry = which, int(at) // _MINUTE * _MINUTE
        if matches:
            self._open.pop(entry, None)
            self._settled[entry] = now
        elif entry not in self._settled:
            self._open.setdefault(entry, now)

    def due(self, now: float) -> Iterator[tuple[GroupKey, str, int]]:
        """Log group, filter and minute of each default value that is to be emitted now."""
        for entry, noted in list(self._settled.items()):
            if noted < now - _REMEMBERED_SECONDS:
                del self._settled[entry]
        for entry, noted in list(self._open.items()):
            (key, name), minute = entry
            if max(minute + _MINUTE, noted) + _GRACE_SECONDS <= now:
                del self._open[entry]
                self._settled[entry] = now
                yield key, name, minute
