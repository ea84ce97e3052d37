"""Function logs in CloudWatch Logs, and the log API itself, over boto3 and the AWS CLI."""

import base64
import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_cli import aws
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]


def test_lines_arrive_within_a_second(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context):\n    print('first')\n    print('second')\n")
    result = lambent.invoke(name)
    group = f"/aws/lambda/{name}"
    lines = eventually(lambda: (found := lambent.log_lines(group)) and len(found) >= 6 and found, seconds=1)
    assert lines[0].startswith("INIT_START Runtime Version: python:3.11.v")
    assert lines[1:5] == [
        f"START RequestId: {result.request_id} Version: $LATEST\n",
        "first\n",
        "second\n",
        f"END RequestId: {result.request_id}\n",
    ]
    assert lines[5].startswith(f"REPORT RequestId: {result.request_id}\t")
    (stream,) = lambent.logs.describe_log_streams(logGroupName=group)["logStreams"]
    events = lambent.logs.get_log_events(
        logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
    )["events"]
    assert [event["message"] for event in events] == lines
    assert all(abs(event["timestamp"] / 1000 - time.time()) < 30 for event in events)


def test_raw_output_and_the_logging_module(lambent: Lambent) -> None:
    name = lambent.python(
        "import logging, os, subprocess, sys\n"
        "def handler(event, context):\n"
        "    os.write(1, b'raw\\n'); os.write(2, b'raw error\\n')\n"
        "    subprocess.run(['echo', 'child'])\n"
        "    print('no newline at the end', end='')\n"
        "    logging.getLogger().warning('warned')\n"
        "    print('err', file=sys.stderr)\n"
    )
    result = lambent.invoke(name)
    lines = eventually(
        lambda: (found := lambent.log_lines(f"/aws/lambda/{name}"))[-1:] and "REPORT" in found[-1] and found
    )
    for wanted in ("raw\n", "raw error\n", "child\n", "no newline at the end", "err\n"):
        assert any(wanted in line for line in lines), (wanted, lines)
    (warning,) = [line for line in lines if "warned" in line]
    assert warning.startswith("[WARNING]\t")
    assert f"\t{result.request_id}\twarned" in warning


def test_json_format_and_levels(lambent: Lambent) -> None:
    name = lambent.python(
        "import logging\nlog = logging.getLogger()\n"
        "def handler(event, context):\n"
        "    log.debug('hidden'); log.info('hidden'); log.warning('seen'); log.error('seen too')\n",
        LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN", "SystemLogLevel": "INFO"},
    )
    result = lambent.invoke(name)
    group = f"/aws/lambda/{name}"
    lines = eventually(
        lambda: (found := lambent.log_lines(group))[-1:] and "platform.report" in found[-1] and found
    )
    records = [json.loads(line) for line in lines]
    written = [record for record in records if "message" in record]
    assert [(record["level"], record["message"]) for record in written] == [
        ("WARN", "seen"),
        ("ERROR", "seen too"),
    ] or [(record["level"], record["message"]) for record in written] == [
        ("WARNING", "seen"),
        ("ERROR", "seen too"),
    ]
    assert {record["requestId"] for record in written} == {result.request_id}
    platform = {record["type"]: record["record"] for record in records if "type" in record}
    assert platform["platform.start"] == {
        "requestId": result.request_id,
        "functionArn": f"arn:aws:lambda:us-east-1:{lambent.account_id}:function:{name}",
        "version": "$LATEST",
    }
    assert platform["platform.report"]["status"] == "success"
    assert platform["platform.report"]["metrics"]["memorySizeMB"] == 128
    found = lambent.log_lines(group, filterPattern='{ $.level = "ERROR" }')
    assert len(found) == 1
    assert "seen too" in found[0]


@pytest.mark.parametrize(
    ("level", "seen"),
    [
        (
            "DEBUG",
            [
                *("initStart", "initRuntimeDone", "initReport"),
                *("start", "runtimeDone", "report"),
                *("start", "runtimeDone", "report"),
            ],
        ),
        ("INFO", ["initStart", "start", "report", "start", "runtimeDone", "report"]),
        ("WARN", ["runtimeDone", "report"]),
    ],
)
def test_what_the_platform_tells_at_each_level(lambent: Lambent, level: str, seen: list[str]) -> None:
    """Of an invocation that succeeds, and one that does not."""
    name = lambent.python(
        "def handler(event, context):\n    return 1 / event\n",
        LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": level, "ApplicationLogLevel": "FATAL"},
    )
    lambent.call(name, 1)
    assert lambent.invoke(name, 0).error == "Unhandled"

    def told() -> list[dict[str, Any]]:
        events = [json.loads(line) for line in lambent.log_lines(f"/aws/lambda/{name}")]
        return [event for event in events if event.get("type", "").startswith("platform.")]

    events = eventually(lambda: (found := told()) and len(found) >= len(seen) and found)
    assert [event["type"].removeprefix("platform.") for event in events] == seen
    assert (events[-1]["record"]["status"], events[-1]["record"]["errorType"]) == (
        "error",
        "ZeroDivisionError",
    )


def test_a_log_group_of_its_own(lambent: Lambent) -> None:
    group = lambent.new_name("shared-group")
    name = lambent.python(
        "def handler(event, context):\n    print('here')\n    return context.log_group_name\n",
        LoggingConfig={"LogGroup": group},
    )
    assert lambent.call(name) == group
    eventually(lambda: "here\n" in lambent.log_lines(group))
    assert lambent.log_lines(f"/aws/lambda/{name}") == []


def test_the_log_api_itself(lambent: Lambent) -> None:
    group = lambent.new_name("/own/group")
    lambent.logs.create_log_group(logGroupName=group, tags={"k": "v"})
    lambent.logs.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(time.time() * 1000)
    lambent.logs.put_log_events(
        logGroupName=group,
        logStreamName="s",
        logEvents=[{"timestamp": now + n, "message": f"m{n} {'ERROR' if n % 2 else 'ok'}"} for n in range(5)],
    )
    assert lambent.log_lines(group, filterPattern="ERROR") == ["m1 ERROR", "m3 ERROR"]
    assert lambent.log_lines(group, startTime=now + 2, endTime=now + 4)[0] == "m2 ok"
    lambent.logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    (described,) = lambent.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert described["retentionInDays"] == 7
    lambent.logs.delete_log_group(logGroupName=group)
    with pytest.raises(ClientError) as refused:
        lambent.logs.filter_log_events(logGroupName=group)
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert refused.value.response["Error"]["Message"] == "The specified log group does not exist."


def test_filter_log_events_by_the_aws_cli(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context):\n    print('look here', event)\n")
    lambent.call(name, 41)
    eventually(lambda: lambent.log_lines(f"/aws/lambda/{name}", filterPattern='"look here"'))
    answer = aws(
        lambent,
        *("logs", "filter-log-events", "--log-group-name", f"/aws/lambda/{name}"),
        *("--filter-pattern", '"look here"'),
    )
    assert [event["message"] for event in answer["events"]] == ["look here 41\n"]


def test_following_a_log(lambent: Lambent) -> None:
    """As `aws logs tail --follow` does (version 2 of the CLI): FilterLogEvents again and again, from the last time on,
    without the events that were seen."""
    name = lambent.python("def handler(event, context):\n    print('line', event)\n")
    group = f"/aws/lambda/{name}"
    lambent.call(name, 0)
    eventually(lambda: lambent.log_lines(group))
    seen: dict[str, str] = {}
    start = 0
    for number in range(1, 4):
        lambent.call(name, number)

        def read(number: int = number) -> bool:
            nonlocal start
            pages = lambent.logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=start, interleaved=True
            )
            for event in [event for page in pages for event in page["events"]]:
                seen[event["eventId"]] = event["message"]
                start = max(start, event["timestamp"])
            return f"line {number}\n" in seen.values()

        eventually(read)
    assert [message for message in seen.values() if message.startswith("line")] == [
        f"line {n}\n" for n in range(4)
    ]


def test_logs_survive_restarts(new_server: NewServer) -> None:
    lambent = new_server()
    name = lambent.python("def handler(event, context):\n    print('kept', event)\n")
    lambent.call(name, 1)
    assert lambent.stop() == 0  # a graceful end stores what is buffered
    lambent.start_again()
    group = f"/aws/lambda/{name}"
    assert "kept 1\n" in lambent.log_lines(group)
    lambent.call(name, 2)
    eventually(lambda: "kept 2\n" in lambent.log_lines(group))
    lambent.kill()
    lambent.start_again()
    assert {"kept 1\n", "kept 2\n"} <= set(lambent.log_lines(group))


def test_what_retention_has_outlived_is_deleted(new_server: NewServer) -> None:
    lambent = new_server("--log-expiry-seconds", "1")
    lambent.logs.create_log_group(logGroupName="aging")
    lambent.logs.create_log_stream(logGroupName="aging", logStreamName="s")
    now, day = int(time.time() * 1000), 86_400_000
    for at, message in ((now - 5 * day, "old"), (now, "new")):  # one batch may not span more than a day
        lambent.logs.put_log_events(
            logGroupName="aging", logStreamName="s", logEvents=[{"timestamp": at, "message": message}]
        )
    assert lambent.log_lines("aging") == ["old", "new"]
    lambent.logs.put_retention_policy(logGroupName="aging", retentionInDays=3)
    eventually(lambda: lambent.log_lines("aging") == ["new"])


def test_a_function_is_handed_what_another_logs(lambent: Lambent) -> None:
    reader = lambent.python("def handler(event, context):\n    print('GOT', event['awslogs']['data'])\n")
    writer = lambent.python("def handler(event, context):\n    print('ERROR', event)\n    print('fine')\n")
    group = f"/aws/lambda/{writer}"
    lambent.call(writer, "first")
    eventually(lambda: any(line.startswith("REPORT") for line in lambent.log_lines(group)))
    arn = lambent.lambda_.get_function_configuration(FunctionName=reader)["FunctionArn"]
    subscription = {"logGroupName": group, "filterName": "errors", "filterPattern": "ERROR"}
    with pytest.raises(ClientError, match="Could not execute the lambda function"):
        lambent.logs.put_subscription_filter(**subscription, destinationArn=arn)
    lambent.lambda_.add_permission(
        FunctionName=reader,
        StatementId="logs",
        Action="lambda:InvokeFunction",
        Principal="logs.us-east-1.amazonaws.com",
        SourceArn=f"arn:aws:logs:us-east-1:{lambent.account_id}:log-group:{group}:*",
        SourceAccount=lambent.account_id,
    )
    lambent.logs.put_subscription_filter(**subscription, destinationArn=arn)
    lambent.call(writer, "second")
    [line] = eventually(
        lambda: [text for text in lambent.log_lines(f"/aws/lambda/{reader}") if text.startswith("GOT")]
    )
    told = json.loads(gzip.decompress(base64.b64decode(line.split()[1])))
    assert (told["logGroup"], told["subscriptionFilters"]) == (group, ["errors"])
    assert [event["message"] for event in told["logEvents"]] == ["ERROR second\n"]
