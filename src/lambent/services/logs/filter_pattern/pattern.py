"""What every kind of pattern can do."""

from collections.abc import Mapping
from typing import Protocol


class FilterPattern(Protocol):
    def matches(self, message: str) -> bool: ...

    def extract(self, message: str) -> Mapping[str, str]:
        """What a matching message holds for the pattern's fields: by `$name` (or `$4`, the position) for a
        space-delimited pattern, by property selector for a JSON one, nothing for terms."""
        ...
