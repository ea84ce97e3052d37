"""Invoke as callers see it: how functions are named, what goes in and comes out, its limits, many at a time."""

import base64
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent

NewServer = Callable[..., Lambent]
MB = 1 << 20


@pytest.fixture(scope="module")
def arn_teller(lambent: Lambent) -> str:
    name = lambent.python(
        "def handler(event, context): return [context.invoked_function_arn, context.function_version]\n"
    )
    lambent.lambda_.publish_version(FunctionName=name)
    lambent.wait_active(name, "1")
    lambent.lambda_.create_alias(FunctionName=name, Name="prod", FunctionVersion="1")
    return name


@pytest.mark.parametrize(
    ("reference", "qualifier", "suffix", "version"),
    [
        ("{name}", None, "", "$LATEST"),
        ("{name}:1", None, ":1", "1"),
        ("{name}", "prod", ":prod", "1"),
        ("{name}", "$LATEST", ":$LATEST", "$LATEST"),
        ("{account}:function:{name}", None, "", "$LATEST"),
        ("{account}:function:{name}:prod", None, ":prod", "1"),
        ("arn:aws:lambda:us-east-1:{account}:function:{name}", None, "", "$LATEST"),
        ("arn:aws:lambda:us-east-1:{account}:function:{name}:1", "1", ":1", "1"),
    ],
)
def test_every_way_to_name_a_function(
    lambent: Lambent, arn_teller: str, reference: str, qualifier: str | None, suffix: str, version: str
) -> None:
    reference = reference.format(name=arn_teller, account=lambent.account_id)
    parameters = {"Qualifier": qualifier} if qualifier else {}
    result = lambent.invoke(reference, **parameters)
    arn = f"arn:aws:lambda:us-east-1:{lambent.account_id}:function:{arn_teller}"
    assert result.value == [arn + suffix, version]
    assert result.response["ExecutedVersion"] == version


def test_two_qualifiers_that_differ(lambent: Lambent, arn_teller: str) -> None:
    with pytest.raises(ClientError) as refused:
        lambent.invoke(f"{arn_teller}:1", Qualifier="prod")
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert refused.value.response["Error"]["Message"] == (
        "The derived qualifier from the function name does not match the specified qualifier."
    )


def test_dry_run_runs_nothing(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context): raise SystemExit(1)\n")
    answer = lambent.lambda_.invoke(FunctionName=name, InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    assert "FunctionError" not in answer
    with pytest.raises(ClientError) as refused:
        lambent.lambda_.invoke(FunctionName="nobody", InvocationType="DryRun")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_the_tail_of_the_log(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context): print('x' * event)\n")
    result = lambent.invoke(name, 10)
    assert result.tail.splitlines()[0] == f"START RequestId: {result.request_id} Version: $LATEST"
    assert "xxxxxxxxxx" in result.tail
    assert f"END RequestId: {result.request_id}" in result.tail
    assert result.report.startswith(f"REPORT RequestId: {result.request_id}\tDuration: ")
    assert "Init Duration: " in result.report
    again = lambent.invoke(name, 10_000)
    assert "Init Duration: " not in again.report
    assert len(again.tail.encode()) <= 4096
    assert "LogResult" not in lambent.lambda_.invoke(FunctionName=name, Payload=b"1")


def test_an_empty_payload_is_an_empty_object(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context): return event\n")
    assert json.loads(lambent.lambda_.invoke(FunctionName=name)["Payload"].read()) == {}


@pytest.mark.parametrize("event", [None, 0, "", [], "ünïcödé \U0001f600", {"a": [1, 2.5, {"b": None}]}])
def test_events_go_through_unchanged(lambent: Lambent, echo: str, event: object) -> None:
    assert lambent.call(echo, event) == event


@pytest.fixture(scope="module")
def echo(lambent: Lambent) -> str:
    return lambent.python("def handler(event, context): return event\n")


@pytest.mark.parametrize("payload", [b"not json", b'{"a":', b"'a'", b"\xff\xfe", b"{}{}"])
def test_payloads_that_are_not_json(lambent: Lambent, echo: str, payload: bytes) -> None:
    with pytest.raises(ClientError) as refused:
        lambent.invoke(echo, payload)
    assert refused.value.response["Error"]["Code"] == "InvalidRequestContentException"
    assert refused.value.response["Error"]["Message"].startswith("Could not parse request body into json: ")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_client_context(lambent: Lambent) -> None:
    name = lambent.python(
        "def handler(event, context):\n"
        "    given = context.client_context\n"
        "    return [given.client.app_title, given.custom, given.env]\n"
    )
    given = {"client": {"app_title": "shop"}, "custom": {"k": "v"}, "env": {"locale": "de"}}
    encoded = base64.b64encode(json.dumps(given).encode()).decode()
    assert lambent.call(name, ClientContext=encoded) == ["shop", {"k": "v"}, {"locale": "de"}]


def test_six_megabytes_in_and_no_byte_more(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context): return len(event)\n", MemorySize=512)
    assert lambent.call(name, b'"' + b"x" * (6 * MB - 2) + b'"') == 6 * MB - 2
    with pytest.raises(ClientError) as refused:
        lambent.invoke(name, b'"' + b"x" * (6 * MB - 1) + b'"')
    assert refused.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert refused.value.response["Error"]["Message"] == (
        "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
    )
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_one_megabyte_for_an_event_invocation(lambent: Lambent, echo: str) -> None:
    accepted = lambent.lambda_.invoke(
        FunctionName=echo, InvocationType="Event", Payload=b'"' + b"x" * (MB - 2) + b'"'
    )
    assert accepted["StatusCode"] == 202
    with pytest.raises(ClientError) as refused:
        lambent.lambda_.invoke(
            FunctionName=echo, InvocationType="Event", Payload=b'"' + b"x" * (MB - 1) + b'"'
        )
    assert refused.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_six_megabytes_out_and_not_many_more(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context): return 'x' * event\n", MemorySize=512)
    assert len(lambent.call(name, 6 * MB - 2)) == 6 * MB - 2
    result = lambent.invoke(name, 7 * MB)
    assert result.error_object == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }
    assert lambent.call(name, 3) == "xxx"


def test_thirty_invocations_run_side_by_side(lambent: Lambent) -> None:
    name = lambent.python(
        "import os, time\n"
        "def handler(event, context):\n"
        "    start = time.time()\n"
        "    time.sleep(0.5)\n"
        "    return [event, context.log_stream_name, start, time.time()]\n"
    )
    with ThreadPoolExecutor(30) as callers:
        answers = list(callers.map(lambda number: lambent.call(name, number), range(30)))
    assert [number for number, *_ in answers] == list(range(30))
    # How many were in progress when each began: environments are made while others run.
    most = max(sum(start <= at < end for _, _, start, end in answers) for _, _, at, _ in answers)
    assert most >= 4
    with ThreadPoolExecutor(30) as callers:
        started = time.monotonic()
        warm = list(callers.map(lambda number: lambent.call(name, number), range(30)))
    assert len({stream for _, stream, _, _ in warm}) >= 15
    assert time.monotonic() - started < 7.5, "half of what they would take one after another"


def test_one_environment_runs_one_invocation_at_a_time_and_is_used_again(lambent: Lambent) -> None:
    name = lambent.python(
        "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n"
    )
    assert [lambent.call(name) for _ in range(5)] == [1, 2, 3, 4, 5]


def test_the_accounts_concurrency(new_server: NewServer) -> None:
    lambent = new_server("--account-concurrency", "2")
    name = lambent.python("import time\ndef handler(event, context): time.sleep(event)\n")
    with ThreadPoolExecutor(3) as callers:
        running = [callers.submit(lambent.call, name, 2) for _ in range(3)]
        errors = [future.exception() for future in running]
    (error,) = (error for error in errors if error is not None)
    assert isinstance(error, ClientError)
    assert error.response["Error"]["Code"] == "TooManyRequestsException"
    assert error.response["Error"]["Message"] == "Rate Exceeded."
    assert error.response["Reason"] == "ConcurrentInvocationLimitExceeded"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert lambent.call(name, 0) is None


def test_a_function_that_traces_is_told_that_its_requests_are_sampled(lambent: Lambent) -> None:
    source = "import os\ndef handler(event, context): return os.environ['_X_AMZN_TRACE_ID']"
    traces = lambent.python(source, TracingConfig={"Mode": "Active"})
    result = lambent.invoke(traces)
    assert "Sampled=1" in result.value and "XRAY TraceId: " in result.tail
    passes_through = lambent.python(source)
    result = lambent.invoke(passes_through)
    assert "Sampled=0" in result.value and "XRAY" not in result.tail
