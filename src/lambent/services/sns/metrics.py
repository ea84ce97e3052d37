"""What SNS measures.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
"""

from lambent.model.metric import Metrics


class TopicMetrics:
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def count(self, topic_arn: str, name: str, value: float = 1, *, unit: str = "Count") -> None:
        _, _, _, region, account_id, topic = topic_arn.split(":")
        self._metrics.put(
            account_id, region, "AWS/SNS", name, value, unit=unit, dimensions={"TopicName": topic}
        )
