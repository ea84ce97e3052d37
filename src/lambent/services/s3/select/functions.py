"""What expressions can call, and what they can count up over all records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lambent.services.s3.select.errors import CastFailed, UnsupportedFunction
from lambent.services.s3.select.values import Number, compare, is_absent, number_of, text_of

Evaluate = Callable[[Any], Any]
"""From a row (query.Row) to a value."""


@dataclass(slots=True)
class Aggregate:
    """`of` is None for count(*)."""

    function: str
    of: Evaluate | None
    count: int = 0
    sum: Number = 0
    best: Any = field(default=None)

    def take(self, row: Any) -> None:
        value = True if self.of is None else self.of(row)
        if is_absent(value):
            return
        self.count += 1
        if self.function in ("SUM", "AVG"):
            number = number_of(value)
            if number is None:
                raise CastFailed()
            self.sum += number
        elif self.function in ("MIN", "MAX"):
            sign = "<" if self.function == "MIN" else ">"
            if self.best is None or compare(sign, value, self.best):
                self.best = value

    def result(self) -> Any:
        match self.function:
            case "COUNT":
                return self.count
            case "SUM":
                return self.sum if self.count else None
            case "AVG":
                return self.sum / self.count if self.count else None
        return self.best


AGGREGATES = frozenset({"COUNT", "SUM", "AVG", "MIN", "MAX"})


def _substring(text: Any, start: Any, length: Any = None) -> Any:
    """Places are counted from 1; what is before the first is counted, too."""
    if is_absent(text):
        return text
    first = int(number_of(start) or 0) - 1
    last = None if length is None else first + int(number_of(length) or 0)
    return text_of(text)[max(first, 0) : None if last is None else max(last, 0)]


def _on_text(work: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda value: value if is_absent(value) else work(text_of(value))


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if not is_absent(value)), None)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_FUNCTIONS: Mapping[str, tuple[int, int, Callable[..., Any]]] = {
    "LOWER": (1, 1, _on_text(str.lower)),
    "UPPER": (1, 1, _on_text(str.upper)),
    "TRIM": (1, 1, _on_text(str.strip)),
    "CHAR_LENGTH": (1, 1, _on_text(len)),
    "CHARACTER_LENGTH": (1, 1, _on_text(len)),
    "SUBSTRING": (2, 3, _substring),
    "COALESCE": (1, 64, _coalesce),
    "NULLIF": (2, 2, lambda left, right: None if compare("=", left, right) else left),
    "UTCNOW": (0, 0, _now),
}
"""Each with how many arguments it takes, at least and at most."""


def call(name: str, arguments: list[Evaluate]) -> Evaluate:
    """Raises UnsupportedFunction."""
    least, most, function = _FUNCTIONS.get(name, (0, -1, None))
    if function is None or not least <= len(arguments) <= most:
        raise UnsupportedFunction()
    known = function
    return lambda row: known(*(argument(row) for argument in arguments))
