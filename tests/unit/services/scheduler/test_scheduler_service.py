"""Schedules and what comes of their times, without a disk."""

import json
from datetime import UTC, datetime

import pytest

from lambent.model.error import ValidationException
from lambent.services.scheduler.context import filled
from lambent.services.scheduler.errors import ConflictException, ResourceNotFoundException

ROLE = "arn:aws:iam::111122223333:role/r"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:f"
OFF = {"Mode": "OFF"}


def schedule(**members):
    target = {"Arn": FUNCTION, "RoleArn": ROLE}
    return {
        "Name": "s",
        "ScheduleExpression": "rate(5 minutes)",
        "Target": target,
        "FlexibleTimeWindow": OFF,
    } | members


async def fire(made) -> None:
    """One look of the timer at what is due."""
    await made.once["run schedules"].__self__.fire_due()


async def test_a_rate_runs_at_once_and_then_by_its_interval(call, made, deliveries, clock):
    await call("CreateSchedule", **schedule())
    for expected in (1, 2, 3):
        await fire(made)
        await fire(made)
        assert len(deliveries.enqueued) == expected
        clock.advance(300)


async def test_without_an_input_a_target_gets_a_scheduled_event(call, made, deliveries):
    created = await call("CreateSchedule", **schedule())
    await fire(made)
    event = json.loads(deliveries.enqueued[0].payload)
    del event["id"]
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "111122223333",
        "time": "2023-11-14T22:13:20Z",
        "region": "eu-west-1",
        "resources": [created["ScheduleArn"]],
        "detail": "{}",
    }


async def test_context_attributes_are_of_the_run_and_the_attempt(call, made, deliveries):
    text = "<aws.scheduler.schedule-arn> <aws.scheduler.scheduled-time> <aws.scheduler.attempt-number>"
    target = {"Arn": FUNCTION, "RoleArn": ROLE, "Input": f"{text} <aws.scheduler.execution-id>"}
    created = await call("CreateSchedule", **schedule(Target=target))
    await fire(made)
    (delivery,) = deliveries.enqueued
    execution = delivery.notes["EXECUTION_ID"]
    assert filled(delivery) == f"{created['ScheduleArn']} 2023-11-14T22:13:20Z 1 {execution}"


async def test_a_flexible_window_puts_a_run_off_but_not_the_next(call, made, deliveries, schedules, clock):
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 4}
    await call("CreateSchedule", **schedule(FlexibleTimeWindow=window))
    await fire(made)
    (delivery,) = deliveries.enqueued
    assert clock.now() <= delivery.due_at == delivery.accepted_at <= clock.now() + 240
    assert await schedules.next_due() == clock.now() + 300


async def test_times_that_were_missed_are_made_up_for_once(call, made, deliveries, clock):
    await call("CreateSchedule", **schedule())
    clock.advance(3000)
    await fire(made)
    (delivery,) = deliveries.enqueued
    assert delivery.notes["SCHEDULED_TIME"] == "2023-11-14T23:03:20Z"


async def test_a_schedule_goes_after_its_last_run_where_it_says_so(call, made, deliveries, clock):
    soon = datetime.fromtimestamp(clock.now() + 60, UTC)
    expression = f"at({soon:%Y-%m-%dT%H:%M:%S})"
    await call("CreateSchedule", **schedule(ScheduleExpression=expression, ActionAfterCompletion="DELETE"))
    await call("CreateSchedule", **schedule(Name="kept", ScheduleExpression=expression))
    clock.advance(61)
    await fire(made)
    assert len(deliveries.enqueued) == 2
    assert [each["Name"] for each in (await call("ListSchedules"))["Schedules"]] == ["kept"]
    clock.advance(86_400)
    await fire(made)
    assert len(deliveries.enqueued) == 2


async def test_an_update_replaces_everything_but_lets_a_rate_count_on(call, made, schedules, clock):
    await call("CreateSchedule", **schedule(Description="d"))
    await fire(made)
    due = await schedules.next_due()
    clock.advance(100)
    await call("UpdateSchedule", **schedule())
    assert await schedules.next_due() == due
    assert "Description" not in await call("GetSchedule", Name="s")
    await call("UpdateSchedule", **schedule(ScheduleExpression="rate(1 hour)"))
    assert await schedules.next_due() == clock.now()
    await call("UpdateSchedule", **schedule(State="DISABLED"))
    assert await schedules.next_due() is None


async def test_a_client_token_makes_creating_repeatable(call):
    first = await call("CreateSchedule", **schedule(ClientToken="once"))
    assert await call("CreateSchedule", **schedule(ClientToken="once")) == first
    with pytest.raises(ConflictException, match=r"Schedule s already exists\."):
        await call("CreateSchedule", **schedule(ClientToken="twice"))
    group = await call("CreateScheduleGroup", Name="g", ClientToken="once")
    assert await call("CreateScheduleGroup", Name="g", ClientToken="once") == group
    with pytest.raises(ConflictException, match=r"Schedule group g already exists\."):
        await call("CreateScheduleGroup", Name="g", ClientToken="twice")


async def test_lists_are_filtered_before_they_are_cut_into_pages(call):
    for number in range(6):
        state = "ENABLED" if number % 2 else "DISABLED"
        await call("CreateSchedule", **schedule(Name=f"s-{number}", State=state))
    page = await call("ListSchedules", State="ENABLED", MaxResults=2)
    rest = await call("ListSchedules", State="ENABLED", MaxResults=2, NextToken=page["NextToken"])
    assert [each["Name"] for each in page["Schedules"] + rest["Schedules"]] == ["s-1", "s-3", "s-5"]
    assert "NextToken" not in rest
    with pytest.raises(ValidationException, match="NextToken"):
        await call("ListSchedules", NextToken="~")


def universal(action: str, text: str | None = None):
    target = {"Arn": f"arn:aws:scheduler:::aws-sdk:{action}", "RoleArn": ROLE}
    return schedule(Target=target if text is None else {**target, "Input": text})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (schedule(ScheduleExpression="rate(0 minutes)"), "Invalid Schedule Expression rate(0 minutes)."),
        (schedule(ScheduleExpressionTimezone="Nowhere"), "Invalid Schedule Expression Timezone Nowhere."),
        (schedule(FlexibleTimeWindow={"Mode": "FLEXIBLE"}), "MaximumWindowInMinutes must be provided"),
        (schedule(StartDate=1.0), "The StartDate you specify cannot be earlier than 5 minutes ago."),
        (schedule(EndDate=1.0), "The EndDate you specify must come after the current date."),
        (schedule(StartDate=3e9, EndDate=2e9), "The EndDate you specify must come after the StartDate."),
        (schedule(KmsKeyArn="k"), "Lambent does not offer customer managed keys"),
        (schedule(Target={"Arn": "f", "RoleArn": ROLE}), "Provided Arn is not in correct format."),
        (schedule(Target={"Arn": "arn:aws:ecs:::c", "RoleArn": ROLE}), "Lambent does not offer targets like"),
        (
            schedule(Target={"Arn": "arn:aws:events:::event-bus/b", "RoleArn": ROLE}),
            "EventBridgeParameters must",
        ),
        (
            schedule(Target={"Arn": "arn:aws:sqs:a:1:q.fifo", "RoleArn": ROLE}),
            "SqsParameters must be provided",
        ),
        (
            schedule(Target={"Arn": FUNCTION, "RoleArn": f"{ROLE}/untrusting"}),
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
        ),
        (universal("sqs:receiveMessage"), "sqs:receiveMessage is not supported"),
        (universal("nosuch:thing"), "nosuch is not a service."),
        (universal("sqs:nosuchThing"), "nosuchThing is not an action of sqs."),
        (universal("sqs:SendMessage", "{}"), "Invalid action in"),
        (universal("sqs:sendMessage", "{"), "Invalid RequestJson provided."),
        (universal("sqs:sendMessage", '{"QueueUrl": "q"}'), "MessageBody"),
    ],
)
async def test_refusals_change_nothing(call, parameters, message):
    with pytest.raises(ValidationException) as refused:
        await call("CreateSchedule", **parameters)
    assert message in refused.value.message
    assert (await call("ListSchedules"))["Schedules"] == []


async def test_what_is_not_there(call):
    for operation in ("GetSchedule", "DeleteSchedule"):
        with pytest.raises(ResourceNotFoundException, match=r"Schedule s does not exist\."):
            await call(operation, Name="s")
    with pytest.raises(ResourceNotFoundException, match=r"Schedule group g does not exist\."):
        await call("CreateSchedule", **schedule(GroupName="g"))
    with pytest.raises(ResourceNotFoundException, match=r"Schedule s does not exist\."):
        await call("UpdateSchedule", **schedule())
    with pytest.raises(ValidationException, match="default schedule group cannot be deleted"):
        await call("DeleteScheduleGroup", Name="default")
