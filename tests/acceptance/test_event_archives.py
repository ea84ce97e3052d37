"""Archives keep what came by, and replays send it again."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually


def test_archived_events_are_replayed_to_the_rules_that_were_named(lambent: Lambent) -> None:
    events, bus_name, archive = lambent.client("events"), lambent.new_name("bus"), lambent.new_name("a")
    bus = events.create_event_bus(Name=bus_name)["EventBusArn"]
    pattern = json.dumps({"detail": {"keep": [True]}})
    created = events.create_archive(
        ArchiveName=archive, EventSourceArn=bus, EventPattern=pattern, RetentionDays=2, Description="d"
    )
    assert created["State"] == "ENABLED"
    groups = {rule: lambent.new_name(f"/replay/{rule}") for rule in ("again", "not")}
    rules = {}
    for rule, group in groups.items():
        lambent.logs.create_log_group(logGroupName=group)
        put = events.put_rule(Name=rule, EventBusName=bus_name, EventPattern='{"source": ["orders"]}')
        rules[rule] = put["RuleArn"]
        arn = f"arn:aws:logs:us-east-1:{lambent.account_id}:log-group:{group}"
        events.put_targets(Rule=rule, EventBusName=bus_name, Targets=[{"Id": "l", "Arn": arn}])
    entry = {"Source": "orders", "DetailType": "t", "EventBusName": bus_name}
    details = [{"keep": number != 1, "number": number} for number in range(4)]
    events.put_events(Entries=[{**entry, "Detail": json.dumps(detail)} for detail in details])
    eventually(lambda: all(len(lambent.log_lines(group)) == 4 for group in groups.values()))

    described = events.describe_archive(ArchiveName=archive)
    assert (described["EventCount"], described["RetentionDays"]) == (3, 2)
    assert (described["EventPattern"], described["EventSourceArn"]) == (pattern, bus)
    now, replay = datetime.now(UTC), lambent.new_name("replay")
    window = {
        "EventStartTime": now - timedelta(minutes=5),
        "EventEndTime": now + timedelta(minutes=5),
        "EventSourceArn": created["ArchiveArn"],
    }
    started = events.start_replay(
        ReplayName=replay, Destination={"Arn": bus, "FilterArns": [rules["again"]]}, **window
    )
    assert started["State"] == "STARTING"
    ended = eventually(lambda: completed(events, replay))
    assert ended["Destination"] == {"Arn": bus, "FilterArns": [rules["again"]]}
    assert ended["ReplayStartTime"] <= ended["ReplayEndTime"]
    lines = eventually(lambda: lines_with(lambent, groups["again"], replay, 3))
    assert [line["detail"]["number"] for line in lines] == [0, 2, 3]
    assert len(lambent.log_lines(groups["not"])) == 4
    assert events.describe_archive(ArchiveName=archive)["EventCount"] == 3, "what is replayed is not archived"
    assert [each["ReplayName"] for each in events.list_replays(NamePrefix=replay)["Replays"]] == [replay]

    with pytest.raises(ClientError, match=f"Replay {replay} already exists"):
        events.start_replay(ReplayName=replay, Destination={"Arn": bus}, **window)
    with pytest.raises(ClientError, match="EventStartTime must be before EventEndTime"):
        events.start_replay(
            ReplayName="r", Destination={"Arn": bus}, **(window | {"EventEndTime": now - timedelta(days=1)})
        )
    default = bus.replace(bus_name, "default")
    with pytest.raises(ClientError, match="Cross event bus replay is not permitted"):
        events.start_replay(ReplayName="r", Destination={"Arn": default}, **window)
    events.delete_archive(ArchiveName=archive)
    with pytest.raises(ClientError, match=f"Archive {archive} does not exist"):
        events.describe_archive(ArchiveName=archive)


def completed(events: Any, replay: str) -> Any:
    described = events.describe_replay(ReplayName=replay)
    return described if described["State"] == "COMPLETED" else None


def lines_with(lambent: Lambent, group: str, replay: str, count: int) -> list[Any]:
    lines = [json.loads(line) for line in lambent.log_lines(group)]
    found = sorted(
        (line for line in lines if line.get("replay-name") == replay),
        key=lambda line: line["detail"]["number"],
    )
    return found if len(found) == count else []


def test_an_archive_has_a_rule_that_nobody_may_change(lambent: Lambent) -> None:
    events, bus_name, archive = lambent.client("events"), lambent.new_name("bus"), lambent.new_name("a")
    bus = events.create_event_bus(Name=bus_name)["EventBusArn"]
    events.create_archive(ArchiveName=archive, EventSourceArn=bus, EventPattern='{"source": ["orders"]}')
    for name in ("A", "Z"):
        events.put_rule(Name=name, EventBusName=bus_name, EventPattern='{"source": ["x"]}')
    own = f"Events-Archive-{archive}"
    pages = events.get_paginator("list_rules").paginate(
        EventBusName=bus_name, PaginationConfig={"PageSize": 1}
    )
    rules = [rule for page in pages for rule in page["Rules"]]
    assert [rule["Name"] for rule in rules] == ["A", own, "Z"]
    assert rules[1]["ManagedBy"] == "prod.vhs.events.aws.internal"
    assert json.loads(rules[1]["EventPattern"]) == {
        "source": ["orders"],
        "replay-name": [{"exists": False}],
    }
    (target,) = events.list_targets_by_rule(Rule=own, EventBusName=bus_name)["Targets"]
    assert target["Arn"] == "arn:aws:events:us-east-1:::"
    assert events.describe_rule(Name=own, EventBusName=bus_name)["State"] == "ENABLED"
    for operation, asked in (
        ("put_rule", {"Name": own, "EventPattern": '{"source": ["y"]}'}),
        ("delete_rule", {"Name": own}),
        ("disable_rule", {"Name": own}),
        ("put_targets", {"Rule": own, "Targets": [{"Id": "x", "Arn": "arn:aws:sqs:us-east-1:1:q"}]}),
        ("remove_targets", {"Rule": own, "Ids": [target["Id"]]}),
    ):
        with pytest.raises(ClientError) as refused:
            getattr(events, operation)(EventBusName=bus_name, **asked)
        assert refused.value.response["Error"]["Code"] == "ManagedRuleException", operation
    events.delete_archive(ArchiveName=archive)
    left = events.list_rules(EventBusName=bus_name)["Rules"]
    assert [rule["Name"] for rule in left] == ["A", "Z"]
    with pytest.raises(ClientError) as refused:
        events.update_archive(ArchiveName=archive)
    assert refused.value.response["Error"]["Code"] == "InternalException"
