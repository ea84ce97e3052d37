"""What is wanted of pipes, and what is refused."""

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from memory_records import MemoryDeliveries, MemoryRecords

from lambent.model.error import ValidationException
from lambent.services import pipes
from lambent.services.pipes.errors import ConflictException, NotFoundException

SQS = "arn:aws:sqs:eu-west-1:111122223333:"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:f"
GIVEN = {"Name": "p", "Source": SQS + "q", "Target": FUNCTION, "RoleArn": "arn:aws:iam::111122223333:role/r"}
Call = Callable[..., Awaitable[dict[str, Any]]]


async def passed(*arguments: Any) -> None:
    return None


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords(MemoryDeliveries())


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def call(records, clock, root, woken) -> Call:
    service = pipes.service(
        records, pass_role=passed, clock=clock, settle_seconds=2.0, wake=lambda: woken.append("now")
    )

    async def call(operation: str, **parameters: Any) -> dict[str, Any]:
        return await service.operations[operation](root, parameters)

    return call


def settle(records: MemoryRecords, state: str) -> None:
    """As the keeper does."""
    from dataclasses import replace

    for name, pipe in records.values.items():
        records.values[name] = replace(pipe, state=state)


async def test_a_pipe_is_created_with_the_defaults_of_its_source(call, clock, woken, records):
    created = await call("CreatePipe", **GIVEN)
    arn = "arn:aws:pipes:eu-west-1:111122223333:pipe/p"
    assert created == {
        "Arn": arn,
        "Name": "p",
        "DesiredState": "RUNNING",
        "CurrentState": "CREATING",
        "CreationTime": clock.now(),
        "LastModifiedTime": clock.now(),
    }
    assert woken
    settle(records, "RUNNING")
    assert await call("DescribePipe", Name="p") == {
        **created,
        "CurrentState": "RUNNING",
        "StateReason": "User initiated",
        "Source": GIVEN["Source"],
        "SourceParameters": {"SqsQueueParameters": {"BatchSize": 10}},
        "EnrichmentParameters": {},
        "Target": FUNCTION,
        "TargetParameters": {},
        "RoleArn": GIVEN["RoleArn"],
        "Tags": {},
    }


async def test_states_are_wanted_once_the_last_change_is_over(call, records):
    await call("CreatePipe", **GIVEN)
    with pytest.raises(ConflictException) as refused:
        await call("StopPipe", Name="p")
    assert refused.value.members == {"resourceId": "p", "resourceType": "Pipe"}
    settle(records, "RUNNING")
    assert (await call("StartPipe", Name="p"))["CurrentState"] == "RUNNING"
    stopped = await call("StopPipe", Name="p")
    assert (stopped["DesiredState"], stopped["CurrentState"]) == ("STOPPED", "STOPPING")
    settle(records, "STOPPED")
    assert (await call("StopPipe", Name="p"))["CurrentState"] == "STOPPED"
    assert (await call("StartPipe", Name="p"))["CurrentState"] == "STARTING"
    deleted = await call("DeletePipe", Name="p")
    assert (deleted["DesiredState"], deleted["CurrentState"]) == ("DELETED", "DELETING")


async def test_an_update_replaces_what_it_gives_and_an_empty_template_is_none(call, records):
    given = {
        "SourceParameters": {"FilterCriteria": {"Filters": [{"Pattern": '{"body": ["x"]}'}]}},
        "TargetParameters": {"InputTemplate": "<$.body>"},
        "Description": "before",
    }
    await call("CreatePipe", **GIVEN, **given)
    settle(records, "RUNNING")
    changed = {"SourceParameters": {"SqsQueueParameters": {"BatchSize": 1}}, "Enrichment": FUNCTION}
    await call("UpdatePipe", Name="p", RoleArn="r2", TargetParameters={"InputTemplate": ""}, **changed)
    pipe = await call("DescribePipe", Name="p")
    assert pipe["SourceParameters"] == given["SourceParameters"] | changed["SourceParameters"]
    assert (pipe["TargetParameters"], pipe["Enrichment"], pipe["RoleArn"]) == ({}, FUNCTION, "r2")
    assert (pipe["Description"], pipe["CurrentState"]) == ("before", "UPDATING")


async def test_lists_are_filtered_and_paged(call):
    for name, queue in (("a1", "q"), ("a2", "r"), ("b1", "q")):
        await call("CreatePipe", **GIVEN | {"Name": name, "Source": SQS + queue})
    page = await call("ListPipes", Limit=2)
    assert [pipe["Name"] for pipe in page["Pipes"]] == ["a1", "a2"]
    rest = await call("ListPipes", NextToken=page["NextToken"])
    assert [pipe["Name"] for pipe in rest["Pipes"]] == ["b1"] and "NextToken" not in rest
    found = await call("ListPipes", NamePrefix="a", SourcePrefix=SQS + "q", CurrentState="CREATING")
    assert [pipe["Name"] for pipe in found["Pipes"]] == ["a1"]
    with pytest.raises(ValidationException):
        await call("ListPipes", NextToken="\u00e9")


async def test_tags_are_a_pipes(call):
    arn = (await call("CreatePipe", **GIVEN, Tags={"a": "1"}))["Arn"]
    await call("TagResource", resourceArn=arn, tags={"b": "2"})
    await call("UntagResource", resourceArn=arn, tagKeys=["a"])
    assert await call("ListTagsForResource", resourceArn=arn) == {"tags": {"b": "2"}}
    for unknown in (arn + "x", "nonsense", GIVEN["Source"]):
        with pytest.raises(NotFoundException):
            await call("ListTagsForResource", resourceArn=unknown)


async def test_what_is_there_and_what_is_not(call):
    await call("CreatePipe", **GIVEN)
    with pytest.raises(ConflictException, match=r"Pipe p already exists\."):
        await call("CreatePipe", **GIVEN)
    for operation in ("DescribePipe", "DeletePipe", "StartPipe", "StopPipe"):
        with pytest.raises(NotFoundException, match=r"Pipe x does not exist\."):
            await call(operation, Name="x")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"Source": "arn:aws:kinesis:eu-west-1:111122223333:stream/s"}, "Source"),
        ({"Target": "arn:aws:states:eu-west-1:111122223333:stateMachine:s"}, "Target"),
        ({"Target": "arn:aws:events:eu-west-1:111122223333:api-destination/a/1"}, "Target"),
        ({"Enrichment": "arn:aws:events:eu-west-1:111122223333:api-destination/a/1"}, "Enrichment"),
        ({"Enrichment": FUNCTION, "EnrichmentParameters": {"HttpParameters": {}}}, "HttpParameters"),
        ({"SourceParameters": {"KinesisStreamParameters": {}}}, "KinesisStreamParameters"),
        ({"SourceParameters": {"SqsQueueParameters": {"BatchSize": 11}}}, "MaximumBatchingWindowInSeconds"),
        (
            {"Source": SQS + "q.fifo", "SourceParameters": {"SqsQueueParameters": {"BatchSize": 11}}},
            "BatchSize",
        ),
        (
            {
                "Target": SQS + "t",
                "SourceParameters": {
                    "SqsQueueParameters": {"BatchSize": 11, "MaximumBatchingWindowInSeconds": 1}
                },
            },
            "BatchSize",
        ),
        ({"SourceParameters": {"FilterCriteria": {"Filters": [{"Pattern": "{"}]}}}, "FilterCriteria"),
        ({"Target": SQS + "t.fifo"}, "MessageGroupId"),
        ({"TargetParameters": {"SqsQueueParameters": {"MessageGroupId": "g"}}}, "SqsQueueParameters"),
        ({"TargetParameters": {"InputTemplate": '{"a": <$.b}'}}, "InputTemplate"),
        ({"TargetParameters": {"InputTemplate": "<$.a..b>"}}, "InputTemplate"),
        ({"TargetParameters": {"InputTemplate": "<aws.pipes.nothing>"}}, "InputTemplate"),
        (
            {
                "Target": SQS + "t",
                "TargetParameters": {"SqsQueueParameters": {"MessageGroupId": "$.a..b"}},
            },
            "SqsQueueParameters",
        ),
        ({"LogConfiguration": {"Level": "INFO"}}, "CloudwatchLogsLogDestination"),
        ({"LogConfiguration": {"Level": "INFO", "S3LogDestination": {}}}, "S3LogDestination"),
        (
            {
                "LogConfiguration": {
                    "Level": "INFO",
                    "CloudwatchLogsLogDestination": {
                        "LogGroupArn": "arn:aws:logs:eu-west-1:999999999999:log-group:/g"
                    },
                }
            },
            "LogGroupArn",
        ),
        ({"KmsKeyIdentifier": "k"}, "KmsKeyIdentifier"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_field_and_changes_nothing(call, records, given, field):
    with pytest.raises(ValidationException) as refused:
        await call("CreatePipe", **GIVEN | given)
    ((said,), (listed,)) = json.loads(str(refused.value)).values(), refused.value.members["fieldList"]
    assert said[0]["Name"] == listed["name"] and listed["name"].endswith(field)
    assert not records.values
