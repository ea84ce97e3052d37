from datetime import UTC, datetime
from typing import Any

import pytest

from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.event_source_kinds import KINDS, kind_of
from lambent.services.lambda_.event_source_settings import changed_settings, new_settings

ARN = {
    "sqs": "arn:aws:sqs:us-east-1:123456789012:q",
    "fifo": "arn:aws:sqs:us-east-1:123456789012:q.fifo",
    "kinesis": "arn:aws:kinesis:us-east-1:123456789012:stream/s",
    "dynamodb": "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-01-01T00:00:00.000",
    "kafka": "arn:aws:kafka:us-east-1:123456789012:cluster/c/1",
    "mq": "arn:aws:mq:us-east-1:123456789012:broker:b:b-1",
    "documentdb": "arn:aws:rds:us-east-1:123456789012:cluster:c",
}
NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
UNSUPPORTED = "Unsupported {} parameter for given event source mapping type."


def settings(source: str, **request: Any) -> dict[str, Any]:
    request = {"FunctionName": "f", "EventSourceArn": ARN[source], **request}
    return new_settings(kind_of(request), ARN[source], request, NOW)


def refusal(source: str, **request: Any) -> str:
    with pytest.raises(InvalidParameterValueException) as refused:
        settings(source, **request)
    return str(refused.value)


def test_kinds_are_told_by_their_arns():
    assert {kind_of({"EventSourceArn": arn}).name for arn in ARN.values()} == KINDS.keys() - {
        "self-managed-kafka"
    }
    brokers = {"SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["b:9092"]}}}
    assert kind_of(brokers).name == "self-managed-kafka"
    for request in ({}, {"EventSourceArn": "arn:aws:s3:::bucket"}, {"EventSourceArn": "x"}):
        with pytest.raises(InvalidParameterValueException, match=r"^Unrecognized event source\.$"):
            kind_of(request)
    with pytest.raises(InvalidParameterValueException):
        kind_of({**brokers, "EventSourceArn": ARN["sqs"]})


def test_streams_have_many_defaults():
    assert settings("kinesis", StartingPosition="LATEST") == {
        "BatchSize": 100,
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "FunctionResponseTypes": [],
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
        "StartingPosition": "LATEST",
        "TumblingWindowInSeconds": 0,
    }


WINDOW = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
FIFO = "Batching window is not supported for FIFO queues"
POSITION = (
    "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
    "Member must not be null."
)


@pytest.mark.parametrize(
    ("source", "request_", "message"),
    [
        ("sqs", {"BatchSize": 11}, WINDOW),
        ("fifo", {"BatchSize": 11}, WINDOW),
        ("fifo", {"MaximumBatchingWindowInSeconds": 1}, FIFO),
        ("fifo", {"BatchSize": 100, "MaximumBatchingWindowInSeconds": 5}, FIFO),
        ("sqs", {"StartingPosition": "LATEST"}, "StartingPosition is not valid for SQS event sources."),
        ("sqs", {"ParallelizationFactor": 2}, UNSUPPORTED.format("ParallelizationFactor")),
        ("sqs", {"DestinationConfig": {}}, UNSUPPORTED.format("DestinationConfig")),
        ("sqs", {"Topics": ["t"]}, UNSUPPORTED.format("Topics")),
        ("sqs", {"LoggingConfig": {}}, UNSUPPORTED.format("LoggingConfig")),
        ("sqs", {"MetricsConfig": {"Metrics": ["KafkaMetrics"]}}, UNSUPPORTED.format("MetricsConfig")),
        ("mq", {"Queues": ["q"], "StartingPosition": "LATEST"}, UNSUPPORTED.format("StartingPosition")),
        ("kinesis", {}, POSITION),
        ("kinesis", {"StartingPosition": "LATEST", "ScalingConfig": {}}, UNSUPPORTED.format("ScalingConfig")),
        (
            "kinesis",
            {"StartingPosition": "LATEST", "StartingPositionTimestamp": datetime(2020, 1, 1, tzinfo=UTC)},
            "Timestamp only valid with StartingPosition AT_TIMESTAMP",
        ),
        (
            "kinesis",
            {"StartingPosition": "LATEST", "DestinationConfig": {"OnSuccess": {"Destination": "a"}}},
            UNSUPPORTED.format("DestinationConfig"),
        ),
        (
            "dynamodb",
            {
                "StartingPosition": "AT_TIMESTAMP",
                "StartingPositionTimestamp": datetime(2020, 1, 1, tzinfo=UTC),
            },
            f"Unsupported starting position for arn type: {ARN['dynamodb']}",
        ),
        (
            "kinesis",
            {"StartingPosition": "AT_TIMESTAMP"},
            "Required 'startingPositionTimestamp' parameter is missing.",
        ),
        (
            "kinesis",
            {
                "StartingPosition": "AT_TIMESTAMP",
                "StartingPositionTimestamp": datetime(2027, 1, 1, tzinfo=UTC),
            },
            "StartingPositionTimestamp cannot be in the future.",
        ),
        (
            "kinesis",
            {"StartingPosition": "LATEST", "MaximumRecordAgeInSeconds": 59},
            "MaximumRecordAgeInSeconds must be -1, or between 60 and 604800 seconds.",
        ),
        ("kafka", {"StartingPosition": "LATEST"}, "Required 'topics' parameter is missing."),
        (
            "sqs",
            {"ProvisionedPollerConfig": {"MinimumPollers": 5, "MaximumPollers": 4}},
            "MinimumPollers should be between [2, 200] and MaximumPollers should be between [MinimumPollers, 10000]",
        ),
        (
            "sqs",
            {"ProvisionedPollerConfig": {"PollerGroupName": "g"}},
            "PollerGroupName is not supported for SQS event sources.",
        ),
        (
            "sqs",
            {"ProvisionedPollerConfig": {"MinimumPollers": 5}, "ScalingConfig": {"MaximumConcurrency": 5}},
            "Provisioned mode for SQS ESM does not support maximum concurrency feature. "
            "Use MaximumPollers as the control mechanism and remove maximum concurrency.",
        ),
        (
            "sqs",
            {"KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/k"},
            "Lambent does not offer KMSKeyArn: filter criteria are not encrypted yet.",
        ),
        (
            "sqs",
            {"FilterCriteria": {"Filters": [{"Pattern": '{"a": [1]}'}] * 6}},
            "An event source mapping can have at most 5 filters.",
        ),
    ],
)
def test_refusals(source, request_, message):
    assert refusal(source, **request_) == message


@pytest.mark.parametrize(
    "pattern", ["", "simple string", '{"body": "x"}', '{"body": [{"pre": "x"}]}', "{}", "[]"]
)
def test_filters_are_patterns(pattern):
    said = {"Filters": [{"Pattern": pattern}]}
    assert refusal("sqs", FilterCriteria=said) == "Invalid filter pattern definition."
    assert refusal("sqs", FilterCriteria={"Filters": [{}]}) == "Invalid filter pattern definition."


def test_what_says_nothing_is_not_shown():
    shown = settings("sqs", KMSKeyArn="", FilterCriteria={}, ScalingConfig={}, FunctionResponseTypes=[])
    assert shown == settings("sqs")


def test_timestamps_are_kept_as_numbers():
    said = {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": datetime(2020, 1, 1, tzinfo=UTC)}
    assert settings("kinesis", **said)["StartingPositionTimestamp"] == 1577836800.0


def test_pollers_have_defaults():
    assert settings("sqs", ProvisionedPollerConfig={"MinimumPollers": 3})["ProvisionedPollerConfig"] == {
        "MinimumPollers": 3,
        "MaximumPollers": 200,
    }


def test_a_change_keeps_the_rest():
    before = settings("sqs", MaximumBatchingWindowInSeconds=3, BatchSize=20)
    kind = KINDS["sqs"]
    assert changed_settings(kind, ARN["sqs"], before, {"UUID": "u", "BatchSize": 30})["BatchSize"] == 30
    with pytest.raises(InvalidParameterValueException, match="Maximum batch window"):
        changed_settings(kind, ARN["sqs"], before, {"MaximumBatchingWindowInSeconds": 0})
