"""Measurements as they were put, for tests of whoever measures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Noted:
    namespace: str
    name: str
    value: float | Sequence[float]
    unit: str = "None"
    dimensions: Mapping[str, str] = field(default_factory=dict)
    at: float | None = None


class NotedMetrics:
    """model.metric.Metrics."""

    def __init__(self) -> None:
        self.noted: list[Noted] = []

    def put(
        self,
        account_id: str,
        region: str,
        namespace: str,
        name: str,
        value: float | Sequence[float],
        *,
        unit: str = "None",
        dimensions: Mapping[str, str] | None = None,
        at: float | None = None,
    ) -> None:
        self.noted.append(Noted(namespace, name, value, unit, dict(dimensions or {}), at))

    def of(self, namespace: str) -> list[Noted]:
        return [noted for noted in self.noted if noted.namespace == namespace]
