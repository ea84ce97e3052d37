"""InvokeWithResponseStream with boto3: pieces while the function runs, failures midway, slow and leaving readers."""

import json
import time
from typing import Any

import pytest
from lambent_server import Lambent, eventually

STEPS = """
import { existsSync } from 'fs';
export const handler = awslambda.streamifyResponse(async (event, out, context) => {
  out.setContentType('text/plain');
  out.write('first ');
  if (event.wait) await new Promise((resolve) => setTimeout(resolve, event.wait));
  if (event.fail) throw new TypeError('midway');
  if (event.exit) process.exit(3);
  for (let left = event.bytes ?? 0; left > 0; left -= 100_000) {
    if (!out.write(Buffer.alloc(Math.min(left, 100_000), 65))) await new Promise((r) => out.once('drain', r));
  }
  console.log('wrote everything');
  out.end('last');
});
"""

BOOTSTRAP = r"""#!/bin/bash
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  headers=$(mktemp)
  event=$(curl -sS -D "$headers" "$api/next")
  id=$(grep -i ^lambda-runtime-aws-request-id: "$headers" | tr -d '\r' | cut -d' ' -f2)
  exec 3<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API/:/\/}"
  printf '%s\r\n' "POST /2018-06-01/runtime/invocation/$id/response HTTP/1.1" 'Host: runtime' 'Content-Type: text/x' \
    'Lambda-Runtime-Function-Response-Mode: streaming' 'Transfer-Encoding: chunked' '' 6 'first ' >&3
  case $event in
    *wait*) sleep 60 ;;
    *exit*) exit 3 ;;
    *fail*)
      error=$(printf '{"errorType":"Function.Midway","errorMessage":"midway"}' | base64 -w0)
      printf '%s\r\n' 0 'Lambda-Runtime-Function-Error-Type: Function.Midway' \
        "Lambda-Runtime-Function-Error-Body: $error" '' >&3 ;;
    *cut*) exec 3>&-; continue ;;
    *) printf '%s\r\n' 4 last 0 '' >&3 ;;
  esac
  read -r status <&3
  exec 3>&-
done
"""


@pytest.fixture(scope="module")
def steps(lambent: Lambent) -> str:
    return lambent.node(STEPS)


def stream(lambent: Lambent, name: str, event: Any, **parameters: Any) -> Any:
    return lambent.lambda_.invoke_with_response_stream(
        FunctionName=name, Payload=json.dumps(event), **parameters
    )


def read(answer: Any) -> tuple[bytes, dict[str, Any]]:
    events = list(answer["EventStream"])
    assert all(set(event) == {"PayloadChunk"} for event in events[:-1])
    payload = b"".join(event["PayloadChunk"]["Payload"] for event in events[:-1])
    return payload, events[-1]["InvokeComplete"]


def test_the_first_piece_arrives_before_the_function_ends(lambent: Lambent, steps: str) -> None:
    answer = stream(lambent, steps, {"wait": 60_000})
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    # The function has ten seconds, of which it uses all: this comes at once, or never.
    assert next(iter(answer["EventStream"])) == {"PayloadChunk": {"Payload": b"first "}}
    answer["EventStream"].close()


def test_everything_arrives_in_order_and_the_log_at_the_end(lambent: Lambent, steps: str) -> None:
    payload, complete = read(stream(lambent, steps, {"bytes": 2_500_000}, LogType="Tail"))
    assert payload == b"first " + b"A" * 2_500_000 + b"last"
    assert set(complete) == {"LogResult"}
    assert read(stream(lambent, steps, {}))[1] == {}


@pytest.mark.parametrize(
    ("event", "code", "details"),
    [
        ({"fail": True}, "TypeError", '"errorMessage":"midway"'),
        ({"exit": True}, "Runtime.ExitError", "Runtime exited with error: exit status 3"),
    ],
)
def test_a_failure_midway_is_told_at_the_end(
    lambent: Lambent, steps: str, event: Any, code: str, details: str
) -> None:
    payload, complete = read(stream(lambent, steps, event))
    assert payload == b"first "
    assert complete["ErrorCode"] == code
    assert details in complete["ErrorDetails"]
    assert read(stream(lambent, steps, {}))[0] == b"first last"


def test_a_function_that_does_not_stream_answers_in_one_piece(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context): return 1 / event\n")
    assert read(stream(lambent, name, 2)) == (b"0.5", {})
    payload, complete = read(stream(lambent, name, 0))
    assert payload == b""
    assert complete["ErrorCode"] == "Unhandled"
    assert json.loads(complete["ErrorDetails"])["errorType"] == "ZeroDivisionError"


def test_invoke_collects_what_is_streamed(lambent: Lambent, steps: str) -> None:
    assert lambent.invoke(steps, {}).payload == b"first last"
    failed = lambent.invoke(steps, {"bytes": 7_000_000})
    assert failed.error_object["errorType"] == "Function.ResponseSizeTooLarge"
    assert lambent.invoke(steps, {"fail": True}).error_object["errorType"] == "TypeError"


def test_a_reader_who_leaves_stops_nothing(lambent: Lambent, steps: str) -> None:
    answer = stream(lambent, steps, {"wait": 300, "bytes": 3_000_000})
    request_id = answer["ResponseMetadata"]["RequestId"]
    next(iter(answer["EventStream"]))
    answer["EventStream"].close()

    def ended() -> bool:
        lines = lambent.log_lines(f"/aws/lambda/{steps}", filterPattern=f'"{request_id}"')
        return any("wrote everything" in line for line in lines) and any("REPORT" in line for line in lines)

    eventually(ended)


def test_what_cannot_run_is_an_ordinary_error(lambent: Lambent, steps: str) -> None:
    with pytest.raises(lambent.lambda_.exceptions.ResourceNotFoundException):
        stream(lambent, "nobody", {})
    with pytest.raises(lambent.lambda_.exceptions.InvalidRequestContentException):
        lambent.lambda_.invoke_with_response_stream(FunctionName=steps, Payload=b"{")
    assert stream(lambent, steps, {}, InvocationType="DryRun")["StatusCode"] == 204


def test_a_function_waits_for_a_slow_reader(lambent: Lambent, steps: str) -> None:
    answer = stream(lambent, steps, {"bytes": 5_000_000})
    events = iter(answer["EventStream"])
    next(events)
    time.sleep(0.3)  # it is far ahead by now, if it can be
    size = sum(len(event["PayloadChunk"]["Payload"]) for event in events if "PayloadChunk" in event)
    assert size == 5_000_000 + len("last")


@pytest.fixture(scope="module")
def foreign(lambent: Lambent) -> str:
    return lambent.deploy({"bootstrap": BOOTSTRAP}, Runtime="provided.al2023", Handler="x")


def test_a_foreign_runtime_streams_by_the_runtime_api(lambent: Lambent, foreign: str) -> None:
    assert read(stream(lambent, foreign, "")) == (b"first last", {})
    assert lambent.invoke(foreign, "").payload == b"first last"
    answer = stream(lambent, foreign, "wait")
    assert next(iter(answer["EventStream"])) == {"PayloadChunk": {"Payload": b"first "}}
    answer["EventStream"].close()


@pytest.mark.parametrize(
    ("event", "code", "details"),
    [
        ("fail", "Function.Midway", '"errorMessage":"midway"'),
        ("cut", "Runtime.TruncatedResponse", "truncated"),
        ("exit", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
    ],
)
def test_a_foreign_runtime_that_fails_midway(
    lambent: Lambent, foreign: str, event: str, code: str, details: str
) -> None:
    payload, complete = read(stream(lambent, foreign, event))
    assert payload == b"first "
    assert complete["ErrorCode"] == code
    assert details in complete["ErrorDetails"]
    assert read(stream(lambent, foreign, ""))[0] == b"first last"
