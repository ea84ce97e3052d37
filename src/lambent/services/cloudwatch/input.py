"""Names of metrics, and moments, as requests give them and answers write them."""

from collections.abc import Mapping
from datetime import UTC, datetime
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


def moment_text(at: float) -> str:
    """As messages and reasons have it: 2026-01-31T23:59:59.000+0000."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def epoch(moment: datetime) -> float:
    return moment.timestamp()
