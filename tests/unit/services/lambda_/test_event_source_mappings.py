from dataclasses import replace
from typing import Any

import pytest

from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceInUseException,
    ResourceNotFoundException,
)

QUEUE = "arn:aws:sqs:us-east-1:123456789012:orders"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:hello"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def mapped(aws: Any) -> Any:
    await aws.create(Timeout=20)
    aws.sqs.queues = {QUEUE: 30, QUEUE + ".fifo": 30, QUEUE + "2": 30}
    return aws


async def create(aws: Any, **changes: Any) -> dict[str, Any]:
    return await aws.call(
        "CreateEventSourceMapping", **{"FunctionName": "hello", "EventSourceArn": QUEUE, **changes}
    )


async def settle(aws: Any, state: str = "Enabled") -> None:
    """What the data plane does when it has done its part."""
    for key, mapping in aws.mappings.mappings.items():
        aws.mappings.mappings[key] = replace(mapping, state=state)


async def test_a_mapping_has_aws_defaults_and_nothing_else(mapped: Any) -> None:
    created = await create(mapped)
    uuid = created.pop("UUID")
    assert created == {
        "BatchSize": 10,
        "EventSourceArn": QUEUE,
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:123456789012:event-source-mapping:{uuid}",
        "FunctionArn": FUNCTION,
        "FunctionResponseTypes": [],
        "LastModified": mapped.clock.now(),
        "MaximumBatchingWindowInSeconds": 0,
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    }
    assert await mapped.call("GetEventSourceMapping", UUID=uuid) == {**created, "UUID": uuid}
    assert [mapping.uuid for mapping in mapped.woken] == [uuid]


async def test_what_was_said_is_shown(mapped: Any) -> None:
    said = {
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 5,
        "FilterCriteria": {"Filters": [{"Pattern": '{"body": {"a": [1]}}'}]},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 2},
        "MetricsConfig": {"Metrics": ["EventCount"]},
    }
    created = await create(mapped, **said, Enabled=False, Tags={"a": "1"}, FunctionName=f"{FUNCTION}:$LATEST")
    assert said.items() <= created.items()
    assert created["FunctionArn"] == f"{FUNCTION}:$LATEST"
    assert "Tags" not in created and "Enabled" not in created
    assert created["State"] == "Disabled"
    enabled = await mapped.call("UpdateEventSourceMapping", UUID=created["UUID"], Enabled=True)
    assert enabled["State"] == "Enabling"


async def test_the_function_and_its_version_must_exist(mapped: Any) -> None:
    for name in ("nobody", "hello:7", "hello:prod"):
        with pytest.raises(InvalidParameterValueException, match=r"^Function does not exist$"):
            await create(mapped, FunctionName=name)
    assert mapped.mappings.mappings == {}


async def test_the_queue_must_exist_in_the_region(mapped: Any) -> None:
    for arn in (
        QUEUE + "-none",
        QUEUE.replace("us-east-1", "eu-west-1"),
        QUEUE + "?x",
        "arn:aws:sqs:::orders",
    ):
        with pytest.raises(InvalidParameterValueException) as refused:
            await create(mapped, EventSourceArn=arn)
        assert str(refused.value) == (
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
            "SQS Error Message: The specified queue does not exist or you do not have access to it."
        )


@pytest.mark.parametrize("operation", ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"])
async def test_the_role_must_be_allowed_to_read_the_queue(mapped: Any, operation: str) -> None:
    mapped.sqs.denied = {operation}
    with pytest.raises(InvalidParameterValueException) as refused:
        await create(mapped)
    assert str(refused.value) == (
        f"The provided execution role does not have permissions to call {operation} on SQS"
    )


async def test_messages_must_stay_hidden_for_as_long_as_the_function_may_run(mapped: Any) -> None:
    mapped.sqs.queues[QUEUE] = 19
    with pytest.raises(InvalidParameterValueException) as refused:
        await create(mapped)
    assert str(refused.value) == (
        "Queue visibility timeout: 19 seconds is less than Function timeout: 20 seconds"
    )


async def test_a_queue_and_a_function_have_one_mapping(mapped: Any) -> None:
    uuid = (await create(mapped))["UUID"]
    with pytest.raises(ResourceConflictException) as refused:
        await create(mapped, FunctionName=FUNCTION)
    assert str(refused.value) == (
        f'An event source mapping with SQS arn (" {QUEUE} ") and function (" hello ") already exists. '
        f"Please update or delete the existing mapping with UUID {uuid}"
    )
    await create(mapped, FunctionName="hello:$LATEST")
    await create(mapped, EventSourceArn=QUEUE + "2")


async def test_states_follow_what_the_user_does(mapped: Any) -> None:
    uuid = (await create(mapped))["UUID"]
    for refused in ("UpdateEventSourceMapping", "DeleteEventSourceMapping"):
        with pytest.raises(ResourceInUseException, match="because it is in use"):
            await mapped.call(refused, UUID=uuid)

    async def update(**changes: Any) -> str:
        answer = await mapped.call("UpdateEventSourceMapping", UUID=uuid, **changes)
        return answer["State"]

    await settle(mapped)
    assert await update(BatchSize=5) == "Updating"
    await settle(mapped)
    assert await update(Enabled=False) == "Disabling"
    await settle(mapped, "Disabled")
    assert await update(Enabled=True) == "Enabling"
    await settle(mapped)
    deleted = await mapped.call("DeleteEventSourceMapping", UUID=uuid)
    assert deleted["State"] == "Deleting" and deleted["BatchSize"] == 5
    assert [mapping.enabled for mapping in mapped.woken] == [True, True, False, True, False]


async def test_an_update_changes_what_it_names(mapped: Any) -> None:
    await mapped.create("other")
    filters = {"Filters": [{"Pattern": '{"body": ["x"]}'}]}
    created = await create(mapped, FilterCriteria=filters, ScalingConfig={"MaximumConcurrency": 5})
    await settle(mapped)
    updated = await mapped.call("UpdateEventSourceMapping", UUID=created["UUID"], FunctionName="other")
    assert updated["FunctionArn"].endswith(":other")
    assert updated["FilterCriteria"] == filters and updated["ScalingConfig"] == {"MaximumConcurrency": 5}
    await settle(mapped)
    cleared = await mapped.call(
        "UpdateEventSourceMapping", UUID=created["UUID"], FilterCriteria={}, ScalingConfig={}
    )
    assert "FilterCriteria" not in cleared and "ScalingConfig" not in cleared


async def test_an_update_that_is_refused_changes_nothing(mapped: Any) -> None:
    created = await create(mapped)
    await settle(mapped)
    before = dict(mapped.mappings.mappings)
    for changes in ({"BatchSize": 11}, {"FunctionName": "nobody"}, {"ParallelizationFactor": 2}):
        with pytest.raises(InvalidParameterValueException):
            await mapped.call("UpdateEventSourceMapping", UUID=created["UUID"], **changes)
    assert mapped.mappings.mappings == before


@pytest.mark.parametrize(
    "operation", ["GetEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping"]
)
async def test_what_does_not_exist(mapped: Any, operation: str) -> None:
    with pytest.raises(ResourceNotFoundException, match=r"^The resource you requested does not exist\.$"):
        await mapped.call(operation, UUID=UNKNOWN)
    elsewhere = mapped.by(region="eu-west-1")
    uuid = (await create(mapped))["UUID"]
    with pytest.raises(ResourceNotFoundException):
        await elsewhere.call(operation, UUID=uuid)


async def test_lists_are_filtered_and_paged(mapped: Any) -> None:
    uuids = sorted(
        [
            (await create(mapped))["UUID"],
            (await create(mapped, EventSourceArn=QUEUE + "2"))["UUID"],
            (await create(mapped, FunctionName="hello:$LATEST"))["UUID"],
        ]
    )
    seen, marker = [], None
    while marker is not None or not seen:
        more = {"Marker": marker} if marker else {}
        page = await mapped.call("ListEventSourceMappings", MaxItems=2, **more)
        seen += [mapping["UUID"] for mapping in page["EventSourceMappings"]]
        marker = page.get("NextMarker")
    assert seen == uuids

    async def count(**filters: Any) -> int:
        return len((await mapped.call("ListEventSourceMappings", **filters))["EventSourceMappings"])

    assert await count(EventSourceArn=QUEUE) == 2
    assert await count(FunctionName="hello") == 2
    assert await count(FunctionName="hello:$LATEST") == 1
    assert await count(FunctionName="nobody") == 0


async def test_mappings_have_tags(mapped: Any) -> None:
    arn = (await create(mapped, Tags={"a": "1"}))["EventSourceMappingArn"]
    await mapped.call("TagResource", Resource=arn, Tags={"b": "2"})
    await mapped.call("UntagResource", Resource=arn, TagKeys=["a"])
    assert await mapped.call("ListTags", Resource=arn) == {"Tags": {"b": "2"}}
    with pytest.raises(InvalidParameterValueException):
        await mapped.call("TagResource", Resource=arn, Tags={"aws:x": ""})
    with pytest.raises(ResourceNotFoundException):
        await mapped.call("ListTags", Resource=arn[:-36] + UNKNOWN)


async def test_kinds_that_have_no_service_here_are_refused_at_the_end(mapped: Any) -> None:
    stream = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
    with pytest.raises(InvalidParameterValueException, match="Function does not exist"):
        await create(mapped, EventSourceArn=stream, StartingPosition="LATEST", FunctionName="nobody")
    with pytest.raises(
        InvalidParameterValueException, match="does not offer event source mappings for Kinesis"
    ):
        await create(mapped, EventSourceArn=stream, StartingPosition="LATEST")
