"""Names of metrics, and moments, as requests give them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lambent.model.caller import Caller, Parameters
from lambent.model.tally import MetricKey


def metric_key(caller: Caller, metric: Mapping[str, Any]) -> MetricKey:
    """Of members Namespace, MetricName and Dimensions."""
    return MetricKey(
        account_id=caller.account_id,
        region=caller.region,
        namespace=metric["Namespace"],
        name=metric["MetricName"],
        dimensions=dimensions_of(metric),
    )


def dimensions_of(members: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((one["Name"], one["Value"]) for one in members.get("Dimensions") or ()))


def described(metric: MetricKey) -> Parameters:
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
    }


def epoch(moment: datetime) -> float:
    return moment.timestamp()
