"""How many batches of a queue may be with its function at once. Pure.

Lambda begins with five and adds 300 a minute while messages wait, up to 1,250 or the mapping's own maximum. A function
that refuses (throttles) gets half as many, and one more with each batch that it takes again.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FIRST = 5
_MOST = 1250
_PER_POLLER = 10
"""Concurrent invocations that a poller of provisioned mode makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingRules:
    first: int = _FIRST
    per_minute: int = 300
    most: int = _MOST

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "ScalingRules":
        """From a mapping's ScalingConfig or ProvisionedPollerConfig."""
        if pollers := settings.get("ProvisionedPollerConfig"):
            return cls(
                first=_PER_POLLER * pollers["MinimumPollers"],
                per_minute=1000,
                most=_PER_POLLER * pollers["MaximumPollers"],
            )
        most = settings.get("ScalingConfig", {}).get("MaximumConcurrency", _MOST)
        return cls(first=min(_FIRST, most), most=most)


class Scaling:
    """What was seen of one queue and its function, and what follows."""

    def __init__(self, rules: ScalingRules) -> None:
        self._rules = rules
        self._busy_since: float | None = None
        self._ceiling: int | None = None
        """What throttling has left; None without it."""

    def allowed(self, now: float) -> int:
        busy = now - self._busy_since if self._busy_since is not None else 0.0
        climbed = min(self._rules.most, self._rules.first + int(busy * self._rules.per_minute / 60))
        return climbed if self._ceiling is None else min(climbed, self._ceiling)

    def polled(self, count: int, now: float) -> None:
        """Messages wait, or none do."""
        if count == 0:
            self._busy_since = None
        elif self._busy_since is None:
            self._busy_since = now

    def throttled(self, running: int) -> None:
        self._ceiling = max(1, running // 2)

    def succeeded(self) -> None:
        if self._ceiling is not None:
            self._ceiling += 1
            if self._ceiling >= self._rules.most:
                self._ceiling = None
