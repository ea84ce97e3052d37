"""What `stats` counts and measures. Each keeps a bounded amount, however many values it is given.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html
"""

import math
from collections.abc import Callable
from hashlib import blake2b
from typing import Protocol

from lambent.services.logs.insights.values import Value, number, order, text

_EXACT_MOST = 10_000
"""Values of a percentile, or distinct ones, that are kept as they are; of more there is an estimate."""


class Accumulator(Protocol):
    def add(self, value: Value, time_ms: int) -> None: ...

    def result(self) -> Value: ...


class Count:
    """Of records that have a value."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, value: Value, time_ms: int) -> None:
        if value is not None:
            self._count += 1

    def result(self) -> Value:
        return self._count


class Sum:
    def __init__(self) -> None:
        self._sum: float = 0
        self._count = 0

    def add(self, value: Value, time_ms: int) -> None:
        if (operand := number(value)) is not None:
            self._sum += operand
            self._count += 1

    def result(self) -> Value:
        return self._sum


class Average(Sum):
    def result(self) -> Value:
        return self._sum / self._count if self._count else None


class Extreme:
    """Of numbers where there are any, else of texts."""

    def __init__(self, choose: Callable[[float, float], float]) -> None:
        self._choose = choose
        self._found: float | None = None

    def add(self, value: Value, time_ms: int) -> None:
        if (operand := number(value)) is not None:
            operand = operand + 0  # of a moment, its number
            self._found = operand if self._found is None else self._choose(self._found, operand)

    def result(self) -> Value:
        return self._found


class Deviation:
    """By Welford's method."""

    def __init__(self) -> None:
        self._count, self._mean, self._squares = 0, 0.0, 0.0

    def add(self, value: Value, time_ms: int) -> None:
        if (operand := number(value)) is not None:
            self._count += 1
            delta = operand - self._mean
            self._mean += delta / self._count
            self._squares += delta * (operand - self._mean)

    def result(self) -> Value:
        return math.sqrt(self._squares / self._count) if self._count else None


class Percentile:
    """Exact up to 10,000 values; of more, to half a percent: they are counted in steps of one percent."""

    _STEP = math.log(1.01)

    def __init__(self, percent: float) -> None:
        self._percent = percent
        self._values: list[float] = []
        self._steps: dict[tuple[int, int], int] = {}
        self._count = 0

    def add(self, value: Value, time_ms: int) -> None:
        if (operand := number(value)) is None:
            return
        self._count += 1
        self._values.append(float(operand))
        if len(self._values) > _EXACT_MOST:
            for one in self._values:
                step = self._step(one)
                self._steps[step] = self._steps.get(step, 0) + 1
            self._values.clear()

    def result(self) -> Value:
        if not self._count:
            return None
        wanted = max(1, math.ceil(self._percent / 100 * self._count))
        counted = self._steps.copy()
        if not counted:
            return sorted(self._values)[wanted - 1]
        for one in self._values:
            step = self._step(one)
            counted[step] = counted.get(step, 0) + 1
        for step in sorted(counted):
            wanted -= counted[step]
            if wanted <= 0:
                return self._middle(step)
        raise AssertionError("fewer values than were counted")

    def _step(self, value: float) -> tuple[int, int]:
        if value == 0:
            return 0, 0
        size = math.floor(math.log(abs(value)) / self._STEP)
        return (1, size) if value > 0 else (-1, -size)

    def _middle(self, step: tuple[int, int]) -> float:
        sign, size = step
        return sign * math.exp((size * sign + 0.5) * self._STEP) if sign else 0.0


class Distinct:
    """Exact up to 10,000 values; of more, by HyperLogLog to about one percent."""

    _REGISTER_BITS = 14

    def __init__(self) -> None:
        self._values: set[int] | None = set()
        self._registers = bytearray()

    def add(self, value: Value, time_ms: int) -> None:
        if value is None:
            return
        digest = int.from_bytes(blake2b((text(value) or "").encode(), digest_size=8).digest(), "big")
        if self._values is None:
            self._register(digest)
            return
        self._values.add(digest)
        if len(self._values) > _EXACT_MOST:
            self._registers = bytearray(1 << self._REGISTER_BITS)
            for one in self._values:
                self._register(one)
            self._values = None

    def result(self) -> Value:
        if self._values is not None:
            return len(self._values)
        size = len(self._registers)
        alpha = 0.7213 / (1 + 1.079 / size)
        estimate = alpha * size * size / sum(2.0**-rank for rank in self._registers)
        empty = self._registers.count(0)
        if empty and estimate <= 2.5 * size:  # few enough for counting the empty ones, which is better then
            estimate = size * math.log(size / empty)
        return round(estimate)

    def _register(self, digest: int) -> None:
        width = 64 - self._REGISTER_BITS
        index, rest = digest >> width, digest & ((1 << width) - 1)
        rank = width - rest.bit_length() + 1
        self._registers[index] = max(self._registers[index], rank)


class ByTime:
    """The value of the first, or of the last, record that has one."""

    def __init__(self, *, latest: bool) -> None:
        self._sign = 1 if latest else -1
        self._at: int | None = None
        self._found: Value = None

    def add(self, value: Value, time_ms: int) -> None:
        if value is not None and (self._at is None or time_ms * self._sign > self._at):
            self._at = time_ms * self._sign
            self._found = value if isinstance(value, str) else number(value)

    def result(self) -> Value:
        return self._found if self._found is None or isinstance(self._found, str) else self._found + 0


class BySorting:
    def __init__(self, *, last: bool) -> None:
        self._last = last
        self._found: Value = None

    def add(self, value: Value, time_ms: int) -> None:
        if value is None:
            return
        if self._found is None or (order(value) > order(self._found)) == self._last:
            self._found = value

    def result(self) -> Value:
        return self._found


AGGREGATES: dict[str, Callable[[], Accumulator]] = {
    "count": Count,
    "count_over_time": Count,
    "sum": Sum,
    "sum_over_time": Sum,
    "avg": Average,
    "min": lambda: Extreme(min),
    "max": lambda: Extreme(max),
    "stddev": Deviation,
    "median": lambda: Percentile(50),
    "count_distinct": Distinct,
    "earliest": lambda: ByTime(latest=False),
    "latest": lambda: ByTime(latest=True),
    "sortsfirst": lambda: BySorting(last=False),
    "sortslast": lambda: BySorting(last=True),
}
PERCENTILE = frozenset({"pct", "percentile"})
