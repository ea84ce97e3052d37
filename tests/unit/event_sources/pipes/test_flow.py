"""A batch through a pipe, with clients that answer what they are told to."""

from typing import Any

import orjson
import pytest

from lambent.base.clock import ManualClock
from lambent.event_sources.pipes.flow import Flow
from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.function import FunctionId
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.lambda_errors import TooManyRequestsException
from lambent.model.pipe import Pipe

ARN = "arn:aws:{}:eu-west-1:111122223333:{}"
FUNCTION, ENRICHMENT = ARN.format("lambda", "function:f"), ARN.format("lambda", "function:e")
QUEUE = ARN.format("sqs", "t")


class Client:
    """`answers` are by operation, or by function: a value, or an error to raise."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}

    async def __call__(self, service, operation, caller, parameters):
        self.asked.append((operation, parameters))
        answer = self.answers.get(parameters.get("FunctionName", operation), {})
        if isinstance(answer, Exception):
            raise answer
        return {"Payload": answer} if isinstance(answer, bytes) else answer


class Roles:
    trusted = True

    async def assume(self, role_arn, service, *, region, session_name, source_arn=None):
        assert service == "pipes.amazonaws.com"
        if not self.trusted:
            raise AccessDeniedException("no")


class Bench:
    def __init__(self) -> None:
        self.client, self.roles, self.counted = Client(), Roles(), {}
        self.client.answers[FUNCTION] = b"null"

    def count(self, name: str, value: float) -> None:
        self.counted[name] = self.counted.get(name, 0) + value

    async def run(self, *bodies: str, **pipe: Any) -> InvocationResult:
        given = {"source": ARN.format("sqs", "q"), "target": FUNCTION, "role_arn": "r"} | pipe
        made = Pipe(
            account_id="111122223333",
            region="eu-west-1",
            name="p",
            state="RUNNING",
            settles_at=0,
            created_at=0,
            modified_at=0,
            **given,
        )
        records = [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]
        flow = Flow(made, self.client, self.roles, ManualClock(), self.count)
        return await flow(
            Invocation(
                request_id="i",
                function=FunctionId("111122223333", "eu-west-1", "p"),
                invoked_arn="a",
                payload=orjson.dumps({"Records": records}),
            )
        )


@pytest.fixture
def bench() -> Bench:
    return Bench()


def again(result: InvocationResult) -> list[str]:
    assert result.function_error is None
    return [each["itemIdentifier"] for each in orjson.loads(result.payload)["batchItemFailures"]]


async def test_a_function_gets_an_array_and_says_which_messages_it_failed(bench):
    bench.client.answers[FUNCTION] = b'{"batchItemFailures": [{"itemIdentifier": "m1"}]}'
    assert again(await bench.run("a", "b")) == ["m1"]
    ((_, asked),) = bench.client.asked
    assert [record["body"] for record in orjson.loads(asked["Payload"])] == ["a", "b"]
    assert asked["InvocationType"] == "RequestResponse"
    assert bench.counted["EventCount"] == 2 and bench.counted["ExecutionPartiallyFailed"] == 1


async def test_a_function_may_be_told_without_an_answer(bench):
    bench.client.answers[FUNCTION] = b""
    given = {"LambdaFunctionParameters": {"InvocationType": "FIRE_AND_FORGET"}}
    assert again(await bench.run("a", target_parameters=given)) == []
    assert bench.client.asked[0][1]["InvocationType"] == "Event"


@pytest.mark.parametrize(
    "answer",
    [
        {"FunctionError": "Unhandled", "Payload": b"{}"},
        b"no json",
        AccessDeniedException("no"),
        ServiceException("gone", code="ResourceNotFoundException"),
    ],
)
async def test_what_a_function_fails_comes_again_as_a_whole(bench, answer):
    bench.client.answers[FUNCTION] = answer
    assert (await bench.run("a")).function_error is not None
    assert bench.counted["ExecutionFailed"] == bench.counted["TargetStageFailed"] == 1


async def test_a_target_that_throttles_is_asked_again_soon(bench):
    bench.client.answers[FUNCTION] = ServiceException("slow down", code="TooManyRequestsException")
    with pytest.raises(TooManyRequestsException):
        await bench.run("a")
    assert bench.counted["ExecutionThrottled"] == 1


async def test_without_its_role_nothing_goes_on(bench):
    bench.roles.trusted = False
    assert (await bench.run("a")).function_error is not None
    assert not bench.client.asked


async def test_an_enrichment_stands_between_and_its_answers_go_on(bench):
    bench.client.answers[ENRICHMENT] = b'[{"n": 1, "g": "x"}, {"n": 2, "g": "y"}, {"n": 3, "g": "z"}]'
    result = await bench.run(
        '{"n": 0}',
        enrichment=ENRICHMENT,
        enrichment_parameters={"InputTemplate": '{"n": <$.body.n>}'},
        target=QUEUE,
        target_parameters={"InputTemplate": "<$.n>", "SqsQueueParameters": {"MessageGroupId": "$.g"}},
    )
    assert again(result) == []
    (_, enriched), (operation, sent) = bench.client.asked
    assert enriched["Payload"] == b'[{"n":0}]' and operation == "SendMessageBatch"
    assert [(each["MessageBody"], each["MessageGroupId"]) for each in sent["Entries"]] == [
        ("1", "x"),
        ("2", "y"),
        ("3", "z"),
    ]


@pytest.mark.parametrize("answer", [b"", b'""', b"{}", b"[]", b"null"])
async def test_an_enrichment_may_leave_nothing(bench, answer):
    bench.client.answers[ENRICHMENT] = answer
    assert again(await bench.run("a", enrichment=ENRICHMENT)) == []
    assert len(bench.client.asked) == 1


async def test_an_enrichment_that_fails_fails_all(bench):
    bench.client.answers[ENRICHMENT] = {"FunctionError": "Unhandled", "Payload": b"{}"}
    assert (await bench.run("a", enrichment=ENRICHMENT)).function_error is not None
    assert bench.counted["EnrichmentStageFailed"] == 1


@pytest.mark.parametrize(
    ("target", "operation", "answer"),
    [
        (QUEUE, "SendMessageBatch", {"Failed": [{"Id": "1"}]}),
        (ARN.format("sns", "t"), "PublishBatch", {"Failed": [{"Id": "1"}]}),
        (
            ARN.format("events", "event-bus/b"),
            "PutEvents",
            {"Entries": [{"EventId": "e"}, {"ErrorCode": "x"}]},
        ),
    ],
)
async def test_of_a_batch_only_what_failed_comes_again(bench, target, operation, answer):
    bench.client.answers[operation] = answer
    assert again(await bench.run("{}", "{}", target=target)) == ["m1"]
    bench.client.answers[ENRICHMENT] = b"[{}, {}]"
    assert again(await bench.run("{}", "{}", target=target, enrichment=ENRICHMENT)) == ["m0", "m1"]


async def test_a_bus_is_told_whose_events_they_are(bench):
    bench.client.answers["PutEvents"] = {"Entries": [{"EventId": "e"}]}
    bus = ARN.format("events", "event-bus/b")
    await bench.run("{}", target=bus)
    entry = bench.client.asked[0][1]["Entries"][0]
    assert (entry["Source"], entry["DetailType"], entry["EventBusName"]) == (
        "Pipe p",
        "Event from aws:sqs",
        bus,
    )
    given = {"Source": "mine", "DetailType": "$.body.type", "Time": "$.body.at"}
    body = '{"type": "t", "at": "2026-03-01T12:00:00Z"}'
    await bench.run(body, target=bus, target_parameters={"EventBridgeEventBusParameters": given})
    entry = bench.client.asked[1][1]["Entries"][0]
    assert (entry["Source"], entry["DetailType"], entry["Time"]) == ("mine", "t", 1772366400.0)
    later = await bench.run(
        '{"at": "noon"}', target=bus, target_parameters={"EventBridgeEventBusParameters": given}
    )
    assert later.function_error is not None


async def test_lines_go_to_their_streams_in_the_order_of_their_times(bench):
    given = {"LogStreamName": "$.body.stream", "Timestamp": "$.body.at"}
    bodies = ('{"stream": "a", "at": 3}', '{"stream": "a", "at": 2}', '{"stream": "b", "at": 1}')
    group = ARN.format("logs", "log-group:/g:*")
    await bench.run(*bodies, target=group, target_parameters={"CloudWatchLogsParameters": given})
    (_, first), (_, second) = bench.client.asked
    assert [line["timestamp"] for line in first["logEvents"]] == [2, 3]
    assert (first["logGroupName"], first["logStreamName"], second["logStreamName"]) == ("/g", "a", "b")


async def test_more_than_a_target_takes_at_once_is_not_sent(bench):
    bench.client.answers[ENRICHMENT] = orjson.dumps([{"n": n} for n in range(11)])
    assert (await bench.run("a", enrichment=ENRICHMENT, target=QUEUE)).function_error is not None
    assert len(bench.client.asked) == 1


GROUP = {"CloudwatchLogsLogDestination": {"LogGroupArn": ARN.format("logs", "log-group:/g:*")}}


def told(bench: Bench) -> list[dict[str, Any]]:
    lines = [asked["logEvents"] for operation, asked in bench.client.asked if operation == "PutLogEvents"]
    return [orjson.loads(line["message"]) for batch in lines for line in batch]


async def test_a_log_tells_the_stages_of_an_execution(bench):
    bench.client.answers[ENRICHMENT] = b"[{}]"
    settings = {**GROUP, "Level": "INFO", "IncludeExecutionData": ["ALL"]}
    await bench.run("a", enrichment=ENRICHMENT, log_configuration=settings)
    lines = told(bench)
    assert [line["messageType"] for line in lines] == [
        "ExecutionStarted",
        "EnrichmentStageEntered",
        "EnrichmentStageSucceeded",
        "TargetStageEntered",
        "TargetStageSucceeded",
        "ExecutionSucceeded",
    ]
    assert len({line["executionId"] for line in lines}) == 1
    assert orjson.loads(lines[0]["payload"])[0]["body"] == "a" and "payload" not in lines[-1]


async def test_of_errors_alone_a_log_tells_where_that_is_asked_for(bench):
    bench.client.answers[FUNCTION] = AccessDeniedException("no")
    await bench.run("a", log_configuration={**GROUP, "Level": "ERROR"})
    said = [(line["messageType"], line["logLevel"], line["error"]["message"]) for line in told(bench)]
    assert said == [("TargetStageFailed", "ERROR", "no"), ("ExecutionFailed", "ERROR", "no")]
    await bench.run("a", log_configuration={**GROUP, "Level": "OFF"})
    assert len(told(bench)) == 2


async def test_a_log_that_cannot_be_written_stops_nothing(bench):
    bench.client.answers["PutLogEvents"] = ServiceException("gone", code="ResourceNotFoundException")
    assert again(await bench.run("a", log_configuration={**GROUP, "Level": "INFO"})) == []
    assert "CreateLogStream" in [operation for operation, _ in bench.client.asked]
