"""What everybody may hear of durable executions: events on the account's default event bus, and metrics.

Source: https://docs.aws.amazon.com/lambda/latest/dg/durable-monitoring.html
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lambent.base.arn import partition_of
from lambent.model.caller import service_caller
from lambent.model.durable_execution.values import DurableExecution
from lambent.model.metric import Metrics
from lambent.model.service import Client

_METRICS = {
    "RUNNING": "DurableExecutionStarted",
    "SUCCEEDED": "DurableExecutionSucceeded",
    "FAILED": "DurableExecutionFailed",
    "TIMED_OUT": "DurableExecutionTimedOut",
    "STOPPED": "DurableExecutionStopped",
}


class DurableAnnouncements:
    """Implements durable_worker.Announce."""

    def __init__(self, client: Client, metrics: Metrics) -> None:
        self._client = client
        self._metrics = metrics

    async def __call__(self, execution: DurableExecution, statuses: Sequence[str]) -> None:
        """Raises ServiceException."""
        lambda_ = service_caller(
            "lambda.amazonaws.com",
            account_id=execution.account_id,
            region=execution.region,
            source_arn=execution.function_arn,
            partition=partition_of(execution.region),
        )
        entries = [_entry(execution, status) for status in statuses]
        await self._client("events", "PutEvents", lambda_, {"Entries": entries})
        for status in statuses:
            self._measure(execution, status)

    def _measure(self, execution: DurableExecution, status: str) -> None:
        self._put(execution, _METRICS[status], 1)
        if status != "RUNNING" and execution.ended_at is not None:
            duration = (execution.ended_at - execution.started_at) * 1000
            self._put(execution, "DurableExecutionDuration", duration, "Milliseconds")
            self._put(execution, "DurableExecutionOperations", execution.operations)
            self._put(execution, "DurableExecutionStorageWrittenBytes", execution.written, "Bytes")

    def _put(self, execution: DurableExecution, name: str, value: float, unit: str = "Count") -> None:
        self._metrics.put(
            execution.account_id,
            execution.region,
            "AWS/Lambda",
            name,
            value,
            unit=unit,
            dimensions={"FunctionName": execution.function_name},
        )


def _entry(execution: DurableExecution, status: str) -> dict[str, Any]:
    """An entry of PutEvents."""
    detail = {
        "durableExecutionArn": execution.arn,
        "durableExecutionName": execution.name,
        "functionArn": execution.function_arn,
        "status": status,
        "startTimestamp": _iso(execution.started_at),
    }
    at = execution.started_at
    if status != "RUNNING" and execution.ended_at is not None:
        at = execution.ended_at
        detail["endTimestamp"] = _iso(at)
    return {
        "Source": "aws.lambda",
        "DetailType": "Durable Execution Status Change",
        "Time": at,
        "Detail": json.dumps(detail),
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
