"""What CloudWatch knows of a function's invocations."""

import datetime

import pytest
from lambent_server import Lambent, eventually


def test_invocations_errors_and_throttles_are_counted(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context): return 1 // event\n")
    lambent.call(name, 1)
    lambent.call(name, 1)
    lambent.invoke(name, 0)
    lambent.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(lambent.lambda_.exceptions.TooManyRequestsException):
        lambent.call(name, 1)
    cloudwatch = lambent.client("cloudwatch")

    def total(metric: str, statistic: str = "Sum") -> float:
        now = datetime.datetime.now(datetime.UTC)
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": name}],
            StartTime=now - datetime.timedelta(minutes=10),
            EndTime=now + datetime.timedelta(minutes=1),
            Period=3600,
            Statistics=[statistic],
        )["Datapoints"]
        return float(sum(point[statistic] for point in points))

    eventually(lambda: total("Throttles") == 1)
    assert total("Invocations") == 3
    assert total("Errors") == 1
    assert total("Duration", "SampleCount") == 3
    assert total("ConcurrentExecutions", "Maximum") >= 1
