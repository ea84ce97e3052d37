"""Logs Insights over a function's logs, with boto3 and the AWS CLI."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_cli import aws
from lambent_server import Lambent, eventually

HANDLER = """
import json
def handler(event, context):
    print(json.dumps({"level": event["level"], "order": {"id": event["id"]}}))
"""


def answered(lambent: Lambent, query: str, **asked: Any) -> dict[str, Any]:
    """The results of a query of the last hour."""
    now = int(time.time())
    id_ = lambent.logs.start_query(startTime=now - 3600, endTime=now + 60, queryString=query, **asked)[
        "queryId"
    ]

    def finished() -> dict[str, Any] | None:
        found: dict[str, Any] = lambent.logs.get_query_results(queryId=id_)
        return None if found["status"] in ("Scheduled", "Running") else found

    return eventually(finished, seconds=30)


def rows(answer: dict[str, Any]) -> list[dict[str, str]]:
    return [{field["field"]: field["value"] for field in row} for row in answer["results"]]


def test_a_functions_logs(lambent: Lambent) -> None:
    name = lambent.python(HANDLER)
    for number, level in enumerate(["INFO", "ERROR", "ERROR"]):
        lambent.invoke(name, {"level": level, "id": number})
    group = f"/aws/lambda/{name}"
    eventually(lambda: sum(line.startswith("REPORT") for line in lambent.log_lines(group)) == 3)

    answer = answered(
        lambent,
        'filter @type = "REPORT"\n'
        "| stats count(*) as n, max(@duration) as slowest, max(@memorySize / 1000 / 1000) as mb",
        logGroupName=group,
    )
    assert answer["status"] == "Complete"
    assert answer["statistics"]["recordsMatched"] == 3
    assert answer["statistics"]["recordsScanned"] > 9
    assert answer["statistics"]["bytesScanned"] > 300
    (row,) = rows(answer)
    assert (row["n"], row["mb"]) == ("3", "128")
    assert float(row["slowest"]) > 0

    answer = answered(
        lambent,
        "fields @timestamp, order.id | filter level = 'ERROR' | sort order.id desc",
        logGroupNames=[group],
    )
    found = rows(answer)
    assert [row["order.id"] for row in found] == ["2", "1"]
    record = lambent.logs.get_log_record(logRecordPointer=found[0]["@ptr"])["logRecord"]
    assert json.loads(record["@message"]) == {"level": "ERROR", "order": {"id": 2}}
    assert record["order.id"] == "2"
    names = {one["name"] for one in lambent.logs.get_log_group_fields(logGroupName=group)["logGroupFields"]}
    assert {"@message", "@duration", "order.id"} <= names


def test_an_expression_that_never_ends_ends_with_its_query(lambent: Lambent) -> None:
    group = f"/endless/{time.time_ns()}"
    lambent.logs.create_log_group(logGroupName=group)
    lambent.logs.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(time.time())
    lambent.logs.put_log_events(
        logGroupName=group, logStreamName="s", logEvents=[{"timestamp": now * 1000, "message": "a" * 60}]
    )
    id_ = lambent.logs.start_query(
        logGroupName=group, startTime=now - 60, endTime=now + 60, queryString="filter @message like /(a+)+b/"
    )["queryId"]
    eventually(lambda: lambent.logs.get_query_results(queryId=id_)["status"] == "Running")
    assert lambent.logs.stop_query(queryId=id_)["success"]
    assert lambent.logs.get_query_results(queryId=id_)["status"] == "Cancelled"
    with pytest.raises(ClientError, match="not running"):
        lambent.logs.stop_query(queryId=id_)
    assert rows(answered(lambent, "stats count(*) as n", logGroupName=group)) == [{"n": "1"}]
    listed = lambent.logs.describe_queries(logGroupName=group)["queries"]
    assert [query["status"] for query in listed] == ["Complete", "Cancelled"]
    source = f'SOURCE "{group}" START={now - 60}000 END={now + 60}999'
    assert listed[1]["queryString"] == f"{source} | filter @message like /(a+)+b/"


def test_a_query_of_no_events_is_complete_when_it_is_started(lambent: Lambent) -> None:
    group = f"/empty/{time.time_ns()}"
    lambent.logs.create_log_group(logGroupName=group)
    now = int(time.time())
    asked = {"logGroupName": group, "startTime": now - 60, "endTime": now + 60}
    id_ = lambent.logs.start_query(**asked, queryString="fields @message")["queryId"]
    eventually(lambda: lambent.logs.get_query_results(queryId=id_)["status"] == "Complete")
    assert lambent.logs.get_query_results(queryId=id_)["results"] == []


def test_results_come_in_pages_and_survive_a_restart(new_server: Any) -> None:
    lambent = new_server()
    lambent.logs.create_log_group(logGroupName="/pages")
    lambent.logs.create_log_stream(logGroupName="/pages", logStreamName="s")
    now_ms = int(time.time() * 1000)
    events = [{"timestamp": now_ms + number, "message": str(number)} for number in range(2500)]
    lambent.logs.put_log_events(logGroupName="/pages", logStreamName="s", logEvents=events)
    now = now_ms // 1000
    id_ = lambent.logs.start_query(
        logGroupName="/pages", startTime=now - 60, endTime=now + 60, queryString="fields @message"
    )["queryId"]
    lambent.kill()
    lambent.start_again()

    def page(**asked: Any) -> dict[str, Any] | None:
        found: dict[str, Any] = lambent.logs.get_query_results(queryId=id_, **asked)
        return found if found["status"] == "Complete" else None

    first = eventually(lambda: page(maxItems=2000), seconds=60)
    second = page(nextToken=first["nextToken"])
    assert second is not None
    assert "nextToken" not in second
    assert [row["@message"] for row in rows(first) + rows(second)] == [str(n) for n in range(2499, -1, -1)]


def test_a_malformed_query_is_told_where(lambent: Lambent) -> None:
    group = f"/malformed/{time.time_ns()}"
    lambent.logs.create_log_group(logGroupName=group)
    with pytest.raises(lambent.logs.exceptions.MalformedQueryException) as caught:
        lambent.logs.start_query(
            logGroupName=group, startTime=0, endTime=int(time.time()), queryString="fields a | bogus b"
        )
    assert (
        caught.value.response["Error"]["Message"] == "unexpected symbol found bogus at line 1 and position 12"
    )
    error: Any = caught.value.response
    assert error["queryCompileError"]["location"] == {"startCharOffset": 11, "endCharOffset": 16}
    with pytest.raises(ClientError, match=r"Log group '/none' does not exist for account ID"):
        lambent.logs.start_query(logGroupName="/none", startTime=0, endTime=1, queryString="fields a")
    with pytest.raises(ClientError, match="Exactly one of"):
        lambent.logs.start_query(startTime=0, endTime=1, queryString="fields a")


def test_saved_queries_with_the_cli(lambent: Lambent) -> None:
    given = ("--name", "mine/errors", "--query-string", "fields @message")
    made = aws(lambent, "logs", "put-query-definition", *given)
    listed = aws(lambent, "logs", "describe-query-definitions", "--query-definition-name-prefix", "mine/")
    assert [one["queryDefinitionId"] for one in listed["queryDefinitions"]] == [made["queryDefinitionId"]]
    deleted = ("--query-definition-id", made["queryDefinitionId"])
    assert aws(lambent, "logs", "delete-query-definition", *deleted) == {"success": True}
