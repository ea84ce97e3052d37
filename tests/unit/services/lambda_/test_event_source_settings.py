from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


MEMBERS: dict[str, Any] = {
    "BatchSize": st.integers(1, 10_000),
    "MaximumBatchingWindowInSeconds": st.integers(0, 300),
    "ParallelizationFactor": st.integers(1, 10),
    "MaximumRecordAgeInSeconds": st.integers(-1, 604_800),
    "StartingPosition": st.sampled_from(["LATEST", "TRIM_HORIZON", "AT_TIMESTAMP"]),
    "StartingPositionTimestamp": st.sampled_from([0.0, NOW + 1, datetime(2020, 1, 1, tzinfo=UTC)]),
    "BisectBatchOnFunctionError": st.booleans(),
    "FunctionResponseTypes": st.lists(st.just("ReportBatchItemFailures"), max_size=1),
    "KMSKeyArn": st.sampled_from(["", "arn:aws:kms:us-east-1:1:key/k"]),
    "Topics": st.just(["t"]),
    "Queues": st.just(["q"]),
    "SourceAccessConfigurations": st.just([{"Type": "BASIC_AUTH", "URI": "arn:secret"}]),
    "DocumentDBEventSourceConfig": st.just({"DatabaseName": "d"}),
    "FilterCriteria": st.fixed_dictionaries(
        {},
        optional={
            "Filters": st.lists(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "Pattern": st.sampled_from(['{"body": ["x"]}', "{}", "x"]) | st.text(max_size=9)
                    },
                ),
                max_size=7,
            )
        },
    ),
    "DestinationConfig": st.fixed_dictionaries(
        {}, optional={name: st.fixed_dictionaries({}) for name in ("OnFailure", "OnSuccess")}
    ),
    "ScalingConfig": st.fixed_dictionaries({}, optional={"MaximumConcurrency": st.integers(2, 1000)}),
    "MetricsConfig": st.fixed_dictionaries(
        {}, optional={"Metrics": st.lists(st.sampled_from(["EventCount", "KafkaMetrics"]), max_size=2)}
    ),
    "ProvisionedPollerConfig": st.fixed_dictionaries(
        {},
        optional={
            "MinimumPollers": st.integers(1, 200),
            "MaximumPollers": st.integers(1, 10_000),
            "PollerGroupName": st.sampled_from(["", "g"]),
        },
    ),
}


@given(
    st.sampled_from(sorted(ARN)),
    st.fixed_dictionaries({}, optional=MEMBERS),
    st.fixed_dictionaries({}, optional=MEMBERS),
)
def test_whatever_the_model_allows_is_settings_or_refused(source, request_, change):
    """And what was accepted once can be changed and written."""
    kind = kind_of({"EventSourceArn": ARN[source]})
    try:
        made = settings(source, **request_)
        msgspec.json.encode(made)
        made = changed_settings(kind, ARN[source], made, change)
    except InvalidParameterValueException as refused:
        assert str(refused)
        return
    assert msgspec.json.decode(msgspec.json.encode(made)) == made
    assert made["BatchSize"] <= (10 if source == "fifo" else 10_000)


def test_a_change_keeps_the_rest():
    before = settings("sqs", MaximumBatchingWindowInSeconds=3, BatchSize=20)
    kind = KINDS["sqs"]
    assert changed_settings(kind, ARN["sqs"], before, {"UUID": "u", "BatchSize": 30})["BatchSize"] == 30
    with pytest.raises(InvalidParameterValueException, match="Maximum batch window"):
        changed_settings(kind, ARN["sqs"], before, {"MaximumBatchingWindowInSeconds": 0})
