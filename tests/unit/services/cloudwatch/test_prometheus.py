"""What was counted since the start, as Prometheus reads it."""

import pytest

from lambent.model.tally import MetricKey, Tally
from lambent.services.cloudwatch.families import Reading, families, snake
from lambent.services.cloudwatch.prometheus import exposition


def metric(namespace: str, name: str, **dimensions: str) -> MetricKey:
    return MetricKey(
        account_id="1",
        region="r",
        namespace=namespace,
        name=name,
        dimensions=tuple(sorted(dimensions.items())),
    )


def tally(*values: float) -> Tally:
    made = Tally(values=None)
    for value in values:
        made.add(value)
    return made


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("FunctionName", "function_name"),
        ("AWS/Lambda", "aws_lambda"),
        ("EMFParsingErrors", "emf_parsing_errors"),
        ("4xxErrors", "x_4xx_errors"),
        ("@aws.region", "aws_region"),
        ("é", "x_"),
    ],
)
def test_names_are_of_lower_case_words(name: str, plain: str) -> None:
    assert snake(name) == plain


def test_counts_are_counters_and_all_else_has_sum_and_count() -> None:
    text = exposition(
        families(
            {
                (metric("AWS/Lambda", "Invocations", FunctionName="f"), "Count"): tally(1, 2),
                (metric("AWS/Lambda", "Duration", FunctionName='a"\\\n'), "Milliseconds"): tally(2.5, 4),
                (metric("AWS/Lambda", "ConcurrentExecutions"), "Count"): tally(3, 5),
                (metric("AWS/Logs", "IncomingBytes"), "Bytes"): tally(7),
            }
        ),
        [Reading(name="up_seconds", says="Since.", value=1.5)],
    )
    assert text.splitlines() == [
        "# HELP aws_lambda_concurrent_executions ConcurrentExecutions of AWS/Lambda, in Count",
        "# TYPE aws_lambda_concurrent_executions summary",
        'aws_lambda_concurrent_executions_sum{account_id="1",region="r"} 8.0',
        'aws_lambda_concurrent_executions_count{account_id="1",region="r"} 2.0',
        "# HELP aws_lambda_duration_milliseconds Duration of AWS/Lambda, in Milliseconds",
        "# TYPE aws_lambda_duration_milliseconds summary",
        r'aws_lambda_duration_milliseconds_sum{account_id="1",region="r",function_name="a\"\\\n"} 6.5',
        r'aws_lambda_duration_milliseconds_count{account_id="1",region="r",function_name="a\"\\\n"} 2.0',
        "# HELP aws_lambda_invocations_total Invocations of AWS/Lambda, in Count",
        "# TYPE aws_lambda_invocations_total counter",
        'aws_lambda_invocations_total{account_id="1",region="r",function_name="f"} 3.0',
        "# HELP aws_logs_incoming_bytes IncomingBytes of AWS/Logs, in Bytes",
        "# TYPE aws_logs_incoming_bytes summary",
        'aws_logs_incoming_bytes_sum{account_id="1",region="r"} 7.0',
        'aws_logs_incoming_bytes_count{account_id="1",region="r"} 1.0',
        "# HELP up_seconds Since.",
        "# TYPE up_seconds gauge",
        "up_seconds 1.5",
    ]


def test_what_cannot_be_told_apart_is_one_series() -> None:
    found = families(
        {
            (metric("My/App", "a"), "Count"): tally(1),
            (metric("My.App", "a"), "Count"): tally(2),
            (metric("My.App", "a", Region="x"), "Count"): tally(4),
        }
    )
    lines = [line for line in exposition(found).splitlines() if not line.startswith("#")]
    assert lines == [
        'my_app_a_total{account_id="1",region="r"} 3.0',
        'my_app_a_total{account_id="1",region="r",region_="x"} 4.0',
    ]
