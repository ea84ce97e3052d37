"""What comes of events and of times, without a disk."""

import asyncio
import json
from dataclasses import replace

import pytest

from lambent.model.caller import service_caller
from lambent.services.events.errors import ConcurrentModificationException, ManagedRuleException

QUEUE = "arn:aws:sqs:eu-west-1:111122223333:q"
RULE = "arn:aws:events:eu-west-1:111122223333:rule/r"
PATTERN = '{"source": ["orders"]}'
ENTRY = {"Source": "orders", "DetailType": "t", "Detail": '{"n": 1}'}


async def rule(call, **members) -> None:
    await call("PutRule", **({"Name": "r"} | members))
    await call("PutTargets", Rule="r", Targets=[{"Id": "q", "Arn": QUEUE}])


def fire(made, name: str):
    """One look of a timer at what is due."""
    timer = made.once[name].__self__
    return timer.fire_due()


async def test_an_accepted_event_is_stored_for_each_target_before_it_is_answered(call, stores, clock):
    await rule(call, EventPattern=PATTERN)
    answer = await call("PutEvents", Entries=[ENTRY, {**ENTRY, "Source": "others"}])
    (delivery,) = stores.deliveries.enqueued
    event = json.loads(delivery.payload)
    assert event["id"] == answer["Entries"][0]["EventId"]
    assert (delivery.source_arn, delivery.target["Arn"], delivery.event) == (RULE, QUEUE, None)
    assert delivery.accepted_at == delivery.due_at == clock.now()


async def test_a_changed_rule_is_in_force_with_the_next_event(call, stores):
    await rule(call, EventPattern=PATTERN)
    await call("PutEvents", Entries=[ENTRY])
    await call("DisableRule", Name="r")
    await call("PutEvents", Entries=[ENTRY])
    assert len(stores.deliveries.enqueued) == 1
    await call("EnableRule", Name="r")
    await call("PutEvents", Entries=[ENTRY])
    assert len(stores.deliveries.enqueued) == 2
    await call("RemoveTargets", Rule="r", Ids=["q"])
    await call("PutEvents", Entries=[ENTRY])
    assert len(stores.deliveries.enqueued) == 2


async def test_matching_reads_nothing_while_nothing_changes(call, stores):
    await rule(call, EventPattern=PATTERN)
    await call("PutEvents", Entries=[ENTRY])
    reads = stores.buses.reads
    for _ in range(10):
        await call("PutEvents", Entries=[ENTRY])
    assert stores.buses.reads == reads


async def test_changes_at_the_same_time_are_all_made(call, stores):
    await call("PutRule", Name="r", EventPattern=PATTERN)
    stores.rules.conflicts = 3
    targets = [{"Id": f"t{number}", "Arn": QUEUE} for number in range(5)]
    await asyncio.gather(*(call("PutTargets", Rule="r", Targets=[target]) for target in targets))
    assert len((await call("ListTargetsByRule", Rule="r"))["Targets"]) == 5
    stores.rules.conflicts = 1000
    with pytest.raises(ConcurrentModificationException):
        await call("DisableRule", Name="r")


async def test_an_aws_service_owns_the_rules_that_it_makes(call, made, root):
    service = service_caller(
        "pipes.amazonaws.com", account_id=root.account_id, region=root.region, source_arn=None
    )
    await made.service.operations["PutRule"](service, {"Name": "r", "EventPattern": PATTERN})
    assert (await call("DescribeRule", Name="r"))["ManagedBy"] == "pipes.amazonaws.com"
    for operation in ("DisableRule", "DeleteRule"):
        with pytest.raises(ManagedRuleException):
            await call(operation, Name="r")
    with pytest.raises(ManagedRuleException):
        await call("PutRule", Name="r", EventPattern=PATTERN)
    await call("DeleteRule", Name="r", Force=True)


async def test_a_rate_triggers_its_rule_again_and_again_from_an_interval_on(call, made, stores, clock):
    await rule(call, ScheduleExpression="rate(5 minutes)")
    await fire(made, "fire schedules of rules")
    assert stores.deliveries.enqueued == []
    for expected in (1, 2):
        clock.advance(300)
        await fire(made, "fire schedules of rules")
        await fire(made, "fire schedules of rules")
        assert len(stores.deliveries.enqueued) == expected
    event = json.loads(stores.deliveries.enqueued[0].payload)
    assert event["detail-type"] == "Scheduled Event"
    assert (event["source"], event["detail"], event["resources"]) == ("aws.events", {}, [RULE])


async def test_times_that_were_missed_are_made_up_for_once_with_the_latest(call, made, stores, clock):
    await rule(call, ScheduleExpression="rate(1 minute)")
    began = clock.now()
    clock.advance(3600 + 30)
    await fire(made, "fire schedules of rules")
    (delivery,) = stores.deliveries.enqueued
    assert await stores.rules.next_due() == began + 3660
    assert json.loads(delivery.payload)["time"] == "2023-11-14T23:13:20Z"


async def test_putting_targets_does_not_move_a_schedule_and_putting_it_again_does_not_either(
    call, stores, clock
):
    await rule(call, ScheduleExpression="rate(5 minutes)")
    due = await stores.rules.next_due()
    clock.advance(100)
    await call("PutTargets", Rule="r", Targets=[{"Id": "other", "Arn": QUEUE}])
    await call("PutRule", Name="r", ScheduleExpression="rate(5 minutes)", Description="new")
    assert await stores.rules.next_due() == due
    await call("PutRule", Name="r", ScheduleExpression="rate(10 minutes)")
    assert await stores.rules.next_due() == clock.now() + 600
    await call("DisableRule", Name="r")
    assert await stores.rules.next_due() is None


async def archived(call, stores, clock, count: int = 250) -> None:
    bus = (await call("DescribeEventBus"))["Arn"]
    await call("CreateArchive", ArchiveName="a", EventSourceArn=bus, RetentionDays=1)
    await rule(call, EventPattern=PATTERN)
    for number in range(count):
        await call("PutEvents", Entries=[{**ENTRY, "Detail": json.dumps({"n": number})}])
        clock.advance(1)
    stores.deliveries.enqueued.clear()


async def replay(call, clock, **members) -> None:
    bus = (await call("DescribeEventBus"))["Arn"]
    archive = (await call("DescribeArchive", ArchiveName="a"))["ArchiveArn"]
    given = {"EventStartTime": clock.now() - 3600, "EventEndTime": clock.now() + 3600} | members
    await call("StartReplay", ReplayName="again", EventSourceArn=archive, Destination={"Arn": bus}, **given)
    clock.advance(1)


async def test_a_replay_sends_all_events_in_order_and_archives_none_again(call, made, stores, clock):
    await archived(call, stores, clock)
    await replay(call, clock)
    await fire(made, "replay archived events")
    sent = [json.loads(delivery.payload) for delivery in stores.deliveries.enqueued]
    assert [event["detail"]["n"] for event in sent] == list(range(250))
    assert {event["replay-name"] for event in sent} == {"again"}
    described = await call("DescribeReplay", ReplayName="again")
    assert described["State"] == "COMPLETED"
    assert (await call("DescribeArchive", ArchiveName="a"))["EventCount"] == 250


async def test_a_replay_goes_on_behind_what_it_has_stored(call, made, stores, clock):
    """As after a crash in the midst of it: the record says how far it is."""
    await archived(call, stores, clock)
    await replay(call, clock)
    ((name, started),) = await stores.replays.all()
    half = stores.archived_events.events[124]
    stores.replays.values[name] = replace(started, state="RUNNING", position=(half.time, half.number))
    await fire(made, "replay archived events")
    sent = [json.loads(delivery.payload)["detail"]["n"] for delivery in stores.deliveries.enqueued]
    assert sent == list(range(125, 250))


async def test_a_cancelled_replay_sends_nothing_more(call, made, stores, clock):
    await archived(call, stores, clock, 3)
    await replay(call, clock)
    assert (await call("CancelReplay", ReplayName="again"))["State"] == "CANCELLING"
    clock.advance(1)
    await fire(made, "replay archived events")
    assert (await call("DescribeReplay", ReplayName="again"))["State"] == "CANCELLED"
    assert stores.deliveries.enqueued == []


async def test_an_archive_keeps_its_events_as_long_as_it_says(call, made, stores, clock):
    await archived(call, stores, clock, 3)
    archives = made.once["sweep archived events"].__self__
    clock.advance(86_400 - 2)
    assert await archives.sweep_some() == 1
    await call("UpdateArchive", ArchiveName="a", RetentionDays=0)
    clock.advance(10 * 86_400)
    assert await archives.sweep_some() == 0
    await call("DeleteArchive", ArchiveName="a")
    assert await archives.sweep_some() == 2
