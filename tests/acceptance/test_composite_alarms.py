"""Alarms on alarms with boto3: their state, what they tell, and what suppresses that."""

import json

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually


@pytest.fixture
def cloudwatch(lambent: Lambent):
    return lambent.client("cloudwatch")


@pytest.fixture
def child(lambent: Lambent, cloudwatch) -> str:
    name = lambent.new_name("child")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="x",
        MetricName="y",
        Statistic="Sum",
        Period=86_400,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    return name


def set_state(cloudwatch, name: str, state: str) -> None:
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="by hand")


def test_a_composite_alarm_follows_its_children(lambent: Lambent, cloudwatch, child: str) -> None:
    sns, sqs, events = (lambent.client(service) for service in ("sns", "sqs", "events"))
    topic = sns.create_topic(Name=lambent.new_name("alarms"))["TopicArn"]
    queue = sqs.create_queue(QueueName=lambent.new_name("told"))["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    may = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue_arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"}
    )
    name, rule = lambent.new_name("composite"), lambent.new_name("rule")

    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [name], "state": {"value": ["ALARM"]}}}
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": queue_arn}])

    cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=f'ALARM("{child}")', AlarmActions=[topic])

    def alarm() -> dict:
        found = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
        return found["CompositeAlarms"][0]

    eventually(lambda: alarm()["StateValue"] == "OK")
    set_state(cloudwatch, child, "ALARM")
    told: list[dict] = []

    def both() -> bool:
        got = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        told.extend(json.loads(one["Body"]) for one in got.get("Messages", ()))
        return len(told) >= 2

    eventually(both)
    event, message = sorted(told, key=lambda one: "AlarmName" in one)
    child_arn = f"arn:aws:cloudwatch:us-east-1:{lambent.account_id}:alarm:{child}"
    assert message["NewStateReason"].startswith(f"{child_arn} transitioned to ALARM at ")
    assert [one["Arn"] for one in message["TriggeringChildren"]] == [child_arn]
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["detail"]["previousState"]["value"] == "OK"
    assert cloudwatch.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"] == []
    history = cloudwatch.describe_alarm_history(
        AlarmName=name, AlarmTypes=["CompositeAlarm"], HistoryItemType="StateUpdate"
    )["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in history] == [
        "Alarm updated from OK to ALARM",
        "Alarm updated from INSUFFICIENT_DATA to OK",
    ]
    parents = cloudwatch.describe_alarms(ParentsOfAlarmName=child)["CompositeAlarms"]
    assert [one["AlarmName"] for one in parents] == [name]
    with pytest.raises(
        ClientError, match=rf"Cannot delete {child} as there are composite alarm\(s\) depending on it"
    ):
        cloudwatch.delete_alarms(AlarmNames=[child])
    cloudwatch.delete_alarms(AlarmNames=[child, name])
    events.remove_targets(Rule=rule, Ids=["q"])
    events.delete_rule(Name=rule)


def test_a_suppressor_holds_actions_back(lambent: Lambent, cloudwatch, child: str) -> None:
    name, suppressor = lambent.new_name("composite"), lambent.new_name("suppressor")
    cloudwatch.put_composite_alarm(AlarmName=suppressor, AlarmRule="TRUE")
    cloudwatch.put_composite_alarm(
        AlarmName=name,
        AlarmRule=f"ALARM({child})",
        ActionsSuppressor=suppressor,
        ActionsSuppressorWaitPeriod=600,
        ActionsSuppressorExtensionPeriod=600,
    )

    def suppressed_by() -> str | None:
        found = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
        return found["CompositeAlarms"][0].get("ActionsSuppressedBy")

    eventually(lambda: suppressed_by() == "Alarm")
    cloudwatch.put_composite_alarm(AlarmName=suppressor, AlarmRule="FALSE")
    eventually(lambda: suppressed_by() == "ExtensionPeriod")


def test_what_is_refused(cloudwatch) -> None:
    def refused(**parameters: object) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            cloudwatch.put_composite_alarm(AlarmName="refused", **parameters)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    assert refused(AlarmRule="()") == (
        "ValidationError",
        "Error in AlarmRule [Unsupported token ')' at char 1]",
    )
    assert refused(AlarmRule="ALARM(nobody) AND OK(nothing)") == (
        "ValidationError",
        "Could not save the composite alarm as alarms [nobody, nothing] in the alarm rule do not exist",
    )
