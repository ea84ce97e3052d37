"""What a metric's band of expected values is learned from, as PutAnomalyDetector has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyDetector:
    """`metric` are the members of SingleMetricAnomalyDetector, `configuration` those of AnomalyDetectorConfiguration,
    its times in epoch seconds. `periodic_spikes`: what comes again and again is expected. None: it was not said."""

    metric: Mapping[str, Any]
    configuration: Mapping[str, Any]
    periodic_spikes: bool | None = None
