"""The kinds of event sources, and what each allows a mapping to say. Data; `event_source_settings` applies it.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambent.base.arn import Arn
from lambent.model.caller import Parameters
from lambent.model.lambda_errors import InvalidParameterValueException

_EVERY = frozenset(
    {
        "BatchSize",
        "Enabled",
        "EventSourceArn",
        "FilterCriteria",
        "FunctionName",
        "KMSKeyArn",
        "MaximumBatchingWindowInSeconds",
        "MetricsConfig",
        "Tags",
        "UUID",
    }
)
_STREAM = frozenset(
    {
        "BisectBatchOnFunctionError",
        "DestinationConfig",
        "FunctionResponseTypes",
        "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts",
        "StartingPosition",
        "StartingPositionTimestamp",
    }
)
_SHARDS = _STREAM | {"ParallelizationFactor", "TumblingWindowInSeconds"}
_KAFKA = _STREAM | {"LoggingConfig", "ProvisionedPollerConfig", "SourceAccessConfigurations", "Topics"}
_STREAM_DEFAULTS: Mapping[str, Any] = {
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {"OnFailure": {}},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKind:
    """`members` are what a request may have beside those that every kind has; `defaults` is what an answer shows where
    the request said nothing; `required` must be said."""

    name: str
    title: str
    """As AWS's messages call it."""
    event_source: str
    """The records' `eventSource`."""
    members: frozenset[str]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    batch_size: int = 100
    positions: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset({"EventCount"})
    transition_reason: str = "USER_INITIATED"
    offered: bool = False
    """Whether Lambent has the source itself."""


SQS = SourceKind(
    name="sqs",
    title="SQS",
    event_source="aws:sqs",
    members=frozenset({"FunctionResponseTypes", "ProvisionedPollerConfig", "ScalingConfig"}),
    defaults={"FunctionResponseTypes": [], "MaximumBatchingWindowInSeconds": 0},
    batch_size=10,
    offered=True,
)
KINESIS = SourceKind(
    name="kinesis",
    title="Kinesis",
    event_source="aws:kinesis",
    members=_SHARDS,
    defaults=_STREAM_DEFAULTS,
    required=("StartingPosition",),
    positions=frozenset({"TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"}),
    transition_reason="User action",
)
DYNAMODB = SourceKind(
    name="dynamodb",
    title="DynamoDB",
    event_source="aws:dynamodb",
    members=_SHARDS,
    defaults=_STREAM_DEFAULTS,
    required=("StartingPosition",),
    positions=frozenset({"TRIM_HORIZON", "LATEST"}),
    transition_reason="User action",
)
MSK = SourceKind(
    name="kafka",
    title="MSK",
    event_source="aws:kafka",
    members=_KAFKA | {"AmazonManagedKafkaEventSourceConfig"},
    required=("Topics",),
    positions=frozenset({"TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"}),
    metrics=frozenset({"EventCount", "ErrorCount", "KafkaMetrics"}),
)
SELF_MANAGED_KAFKA = SourceKind(
    name="self-managed-kafka",
    title="SelfManagedKafka",
    event_source="SelfManagedKafka",
    members=_KAFKA | {"SelfManagedEventSource", "SelfManagedKafkaEventSourceConfig"},
    required=("SourceAccessConfigurations", "Topics"),
    positions=frozenset({"TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"}),
    metrics=frozenset({"EventCount", "ErrorCount", "KafkaMetrics"}),
)
MQ = SourceKind(
    name="mq",
    title="MQ",
    event_source="aws:mq",
    members=frozenset({"Queues", "SourceAccessConfigurations"}),
    required=("Queues", "SourceAccessConfigurations"),
)
DOCUMENTDB = SourceKind(
    name="documentdb",
    title="DocumentDB",
    event_source="aws:docdb",
    members=frozenset(
        {
            "DocumentDBEventSourceConfig",
            "SourceAccessConfigurations",
            "StartingPosition",
            "StartingPositionTimestamp",
        }
    ),
    required=("DocumentDBEventSourceConfig", "SourceAccessConfigurations", "StartingPosition"),
    positions=frozenset({"TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"}),
)
KINDS: Mapping[str, SourceKind] = {
    kind.name: kind for kind in (SQS, KINESIS, DYNAMODB, MSK, SELF_MANAGED_KAFKA, MQ, DOCUMENTDB)
}
_BY_SERVICE = {
    "rds": DOCUMENTDB,
    **{name: KINDS[name] for name in ("sqs", "kinesis", "dynamodb", "kafka", "mq")},
}


def kind_of(parameters: Parameters) -> SourceKind:
    """Of a CreateEventSourceMapping request. Raises InvalidParameterValueException."""
    if "SelfManagedEventSource" in parameters:
        if "EventSourceArn" in parameters:
            raise InvalidParameterValueException(
                "Only one of EventSourceArn and SelfManagedEventSource can be given."
            )
        return SELF_MANAGED_KAFKA
    try:
        kind = _BY_SERVICE.get(Arn.parse(parameters.get("EventSourceArn", "")).service)
    except ValueError:
        kind = None
    if kind is None:
        raise InvalidParameterValueException("Unrecognized event source.")
    return kind


def allows(kind: SourceKind, member: str) -> bool:
    return member in _EVERY or member in kind.members
