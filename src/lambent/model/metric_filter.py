"""What CloudWatch Logs counts in the events of a log group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTransformation:
    """What becomes of an event that matches. `metric_value` and the values of `dimensions` are a number's text, or
    fields of the pattern ("$.latency", "$size"). `default_value` is for minutes with events of which none matches.
    """

    metric_name: str
    metric_namespace: str
    metric_value: str
    default_value: float | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFilter:
    pattern: str
    transformation: MetricTransformation
    created_ms: int
    system_fields: Sequence[str] = ()
    """Of "@aws.account" and "@aws.region": those that are dimensions too."""
