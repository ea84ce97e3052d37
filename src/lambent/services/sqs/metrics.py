"""What SQS measures.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from collections.abc import Sequence

from lambent.model.metric import Metrics
from lambent.model.queue import Queue


def count(
    metrics: Metrics, queue: Queue, name: str, value: float | Sequence[float], *, unit: str = "Count"
) -> None:
    metrics.put(
        queue.account_id,
        queue.region,
        "AWS/SQS",
        name,
        value,
        unit=unit,
        dimensions={"QueueName": queue.name},
    )
