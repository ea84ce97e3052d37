"""What queue attributes and names may be, in AWS's words."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lambent.model.error import ServiceException
from lambent.model.queue import Queue
from lambent.services.sqs import attributes
from lambent.services.sqs.redrive import allows, check_redrive_allow_policy, check_redrive_policy

QUEUE = Queue(account_id="123456789012", region="us-east-1", name="q", created_at=0, modified_at=0)
DEAD = replace(QUEUE, name="dead")


def refused(check: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(ServiceException) as caught:
        check(*arguments, **named)
    return f"{caught.value.code}: {caught.value.message}"


@pytest.mark.parametrize("name", ["q", "a-B_9", "x" * 80])
def test_names(name: str) -> None:
    attributes.check_name(name, {})


@pytest.mark.parametrize("name", ["", "a b", "x" * 81, "q.fifo", "ü"])
def test_other_names(name: str) -> None:
    assert refused(attributes.check_name, name, {}) == (
        "InvalidParameterValueException: Can only include alphanumeric characters, hyphens, or underscores. "
        "1 to 80 in length"
    )


def test_fifo_names() -> None:
    attributes.check_name("x" * 75 + ".fifo", {"FifoQueue": "true"})
    for name in ("q", ".fifo", "x" * 76 + ".fifo"):
        assert "must end with .fifo suffix" in refused(attributes.check_name, name, {"FifoQueue": "true"})


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("DelaySeconds", 0, 900),
        ("MaximumMessageSize", 1024, 1048576),
        ("MessageRetentionPeriod", 60, 1209600),
        ("ReceiveMessageWaitTimeSeconds", 0, 20),
        ("VisibilityTimeout", 0, 43200),
        ("KmsDataKeyReusePeriodSeconds", 60, 86400),
    ],
)
def test_ranges(name: str, low: int, high: int) -> None:
    for value in (low, high):
        attributes.check_values({name: str(value)}, is_fifo=False)
    for wrong in (str(low - 1), str(high + 1), "", " 2", "x", "1.0"):
        assert refused(attributes.check_values, {name: wrong}, is_fifo=False) == (
            f"InvalidAttributeValue: Invalid value for the parameter {name}."
        )


@pytest.mark.parametrize("name", ["Nothing", "FifoQueue", "ContentBasedDeduplication", "QueueArn"])
def test_unknown_attributes(name: str) -> None:
    assert refused(attributes.check_values, {name: "true"}, is_fifo=False) == (
        f"InvalidAttributeName: Unknown Attribute {name}."
    )


def test_two_kinds_of_encryption() -> None:
    given = {"KmsMasterKeyId": "alias/aws/sqs", "SqsManagedSseEnabled": "true"}
    assert "You can use one type of server-side encryption" in refused(
        attributes.check_together, given, given
    )
    with_key = attributes.merged({}, {"KmsMasterKeyId": "alias/aws/sqs"})
    described = attributes.described(replace(QUEUE, attributes=with_key))
    assert (described["SqsManagedSseEnabled"], described["KmsDataKeyReusePeriodSeconds"]) == ("false", "300")
    without = attributes.merged(with_key, {"SqsManagedSseEnabled": "true"})
    assert without == {"SqsManagedSseEnabled": "true"}


def test_high_throughput_needs_its_scope() -> None:
    limit = {"FifoThroughputLimit": "perMessageGroupId"}
    assert refused(attributes.check_together, limit, limit).startswith("InvalidAttributeValue: ")
    attributes.check_together(limit | {"DeduplicationScope": "messageGroup"}, limit)


def test_an_empty_document_takes_away() -> None:
    assert attributes.merged({"Policy": "{}", "DelaySeconds": "1"}, {"Policy": ""}) == {"DelaySeconds": "1"}


def redrive(text: str, source: Queue = QUEUE, dead: Queue = DEAD) -> None:
    check_redrive_policy(text, source, lambda arn: dead if arn == dead.arn else None)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({}, "Redrive policy does not contain mandatory attribute: maxReceiveCount."),
        ({"maxReceiveCount": 5}, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."),
        (
            {"deadLetterTargetArn": DEAD.arn, "maxReceiveCount": 1001},
            "Invalid value for maxReceiveCount: 1001, valid values are from 1 to 1000 both inclusive.",
        ),
        ({"deadLetterTargetArn": "dummy", "maxReceiveCount": 42}, "Invalid value for deadLetterTargetArn."),
        (
            {"deadLetterTargetArn": "arn:aws:sns:us-east-1:123456789012:t", "maxReceiveCount": 5},
            "Only SQS queues are valid resources for deadLetterTargetArn.",
        ),
        (
            {"deadLetterTargetArn": DEAD.arn + ".fifo", "maxReceiveCount": 5},
            "Dead-letter queue must be same type of queue as the source..",
        ),
        ({"deadLetterTargetArn": DEAD.arn + "2", "maxReceiveCount": 5}, "Dead letter target does not exist."),
        (
            {"deadLetterTargetArn": DEAD.arn, "maxReceiveCount": 5, "x": 1},
            "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn].",
        ),
    ],
)
def test_redrive_policies(policy: dict[str, Any], reason: str) -> None:
    text = json.dumps(policy)
    assert refused(redrive, text) == (
        f"InvalidParameterValueException: Value {text} for parameter RedrivePolicy is invalid. Reason: {reason}"
    )


@pytest.mark.parametrize("count", [1, 1000, "7"])
def test_a_good_redrive_policy(count: int | str) -> None:
    redrive(json.dumps({"deadLetterTargetArn": DEAD.arn, "maxReceiveCount": count}))


@pytest.mark.parametrize("text", [" ", "4", "[]"])
def test_no_redrive_policy(text: str) -> None:
    assert "Redrive policy is not a valid JSON map." in refused(redrive, text)


def test_who_may_send_dead_letters() -> None:
    def dead(**policy: Any) -> Queue:
        text = json.dumps(policy)
        check_redrive_allow_policy(text)
        return replace(DEAD, attributes={"RedriveAllowPolicy": text})

    assert allows(DEAD, QUEUE)
    assert allows(dead(redrivePermission="allowAll"), QUEUE)
    assert not allows(dead(redrivePermission="denyAll"), QUEUE)
    assert allows(dead(redrivePermission="byQueue", sourceQueueArns=[QUEUE.arn]), QUEUE)
    other = dead(redrivePermission="byQueue", sourceQueueArns=[DEAD.arn])
    assert not allows(other, QUEUE)
    text = json.dumps({"deadLetterTargetArn": DEAD.arn, "maxReceiveCount": 1})
    assert "does not allow this source queue" in refused(redrive, text, dead=other)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({}, "unsupported format"),
        ({"redrivePermission": "x"}, "unsupported format"),
        ({"redrivePermission": "allowAll", "x": 1}, "unsupported format"),
        ({"redrivePermission": "byQueue", "sourceQueueArns": "x"}, "unsupported format"),
        ({"redrivePermission": "byQueue"}, "you must also specify one or more sourceQueueArns values."),
        ({"redrivePermission": "byQueue", "sourceQueueArns": ["x"] * 11}, "you can specify is 10."),
        (
            {"redrivePermission": "denyAll", "sourceQueueArns": ["x"]},
            "you must set redrivePermission to byQueue.",
        ),
    ],
)
def test_other_redrive_allow_policies(policy: dict[str, Any], reason: str) -> None:
    assert reason in refused(check_redrive_allow_policy, json.dumps(policy))
