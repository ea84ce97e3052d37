import json
from typing import Any

import pytest

from lambent.http.message import Request, Response
from lambent.model.caller import Caller
from lambent.model.error import ValidationException
from lambent.model.invocation import InvocationResult
from lambent.model.lambda_errors import TooManyRequestsException

INTEGRATION = "application/vnd.awslambda.http-integration-response"
PRELUDE = b'{"statusCode":206,"headers":{"X-Owned":"yes"},"cookies":["s=1"]}' + bytes(8)


class Url:
    """A function URL, and who asks it."""

    def __init__(self, aws: Any, host: str, new_stream: Any) -> None:
        self.aws, self.host, self.stream = aws, host, new_stream

    async def authenticate(self, request: Request, request_id: str) -> Caller:
        if request.headers["authorization"] == "forged":
            raise ValidationException("does not match")
        region = request.headers["authorization"]
        return Caller(
            account_id="210987654321",
            region=region,
            principal_arn="arn:aws:iam::210987654321:root",
            user_id="u",
            access_key_id="AKIA",
        )

    async def ask(self, method: str = "GET", **headers: str) -> Response:
        door = self.aws.lambda_.function_url_door(authenticate=self.authenticate)
        named = {"host": self.host} | {name.replace("_", "-"): value for name, value in headers.items()}
        return await door.handle(Request(method, "/", "/", "", named, b"", "127.0.0.1"))

    def returns(self, payload: bytes, error: Any = None) -> None:
        self.aws.invoker.result = InvocationResult(
            payload=payload, executed_version="1", function_error=error
        )


@pytest.fixture
async def url(aws: Any, new_stream: Any) -> Url:
    await aws.create()
    created = await aws.call("CreateFunctionUrlConfig", FunctionName="hello", AuthType="NONE")
    for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction"):
        await aws.call(
            "AddPermission", FunctionName="hello", StatementId=action[7:], Action=action, Principal="*"
        )
    return Url(aws, created["FunctionUrl"].split("/")[2], new_stream)


async def body(response: Response) -> bytes:
    if isinstance(response.body, bytes):
        return response.body
    return b"".join([piece async for piece in response.body])


async def test_a_request_becomes_an_event_and_the_result_a_response(url: Url) -> None:
    url.returns(b'{"statusCode": 201, "body": "made"}')
    response = await url.ask()
    assert (response.status, response.body) == (201, b"made")
    ((kind, invocation),) = url.aws.invoker.calls
    event = json.loads(invocation.payload)
    headers = dict(response.headers)
    assert kind == "stream"
    assert headers["x-amzn-requestid"] == event["requestContext"]["requestId"] == invocation.request_id
    assert headers["x-amzn-trace-id"] == event["headers"]["x-amzn-trace-id"] == invocation.trace_id
    assert (invocation.function.name, invocation.qualifier) == ("hello", None)


@pytest.mark.parametrize(
    "host", ["{id}.lambda-url.us-east-1.on.aws", "{ID}.Lambda-URL.us-east-1.example.com:1"]
)
async def test_any_domain_leads_there(url: Url, host: str) -> None:
    id = url.host.partition(".")[0]
    url.host = host.format(id=id, ID=id.upper())
    url.returns(b"1")
    assert (await url.ask()).status == 200


@pytest.mark.parametrize("host", ["{id}.lambda-url.eu-west-1.on.aws", "b{id}.lambda-url.us-east-1.on.aws"])
async def test_nowhere_is_forbidden(url: Url, host: str) -> None:
    url.host = host.format(id=url.host.partition(".")[0])
    response = await url.ask()
    assert (response.status, response.body) == (403, b'{"Message":null}')
    assert ("x-amzn-errortype", "AccessDeniedException") in response.headers


@pytest.mark.parametrize("missing", ["InvokeFunctionUrl", "InvokeFunction"])
async def test_both_permissions_are_needed(url: Url, missing: str) -> None:
    await url.aws.call("RemovePermission", FunctionName="hello", StatementId=missing)
    response = await url.ask()
    assert response.status == 403
    assert (await body(response)).startswith(b'{"Message":"Forbidden. For troubleshooting Function URL')
    assert not url.aws.invoker.calls


@pytest.mark.parametrize(
    ("authorization", "status", "words"),
    [
        (None, 403, b'"Message":"Forbidden.'),
        ("forged", 403, b'{"message":"does not match"}'),
        ("eu-west-1", 403, b'"Message":"Forbidden.'),
        ("us-east-1", 200, b"1"),
    ],
)
async def test_who_must_sign(url: Url, authorization: str | None, status: int, words: bytes) -> None:
    await url.aws.call("UpdateFunctionUrlConfig", FunctionName="hello", AuthType="AWS_IAM")
    url.returns(b"1")
    response = await url.ask(**({"authorization": authorization} if authorization else {}))
    assert response.status == status
    assert words in await body(response)


async def test_a_function_that_fails_or_cannot_run(url: Url) -> None:
    url.returns(b'{"errorType":"x"}', "Unhandled")
    response = await url.ask()
    assert (response.status, response.body) == (502, b"Internal Server Error")
    url.returns(b'{"statusCode":700}')
    assert (await url.ask()).status == 502
    url.aws.invoker.result = TooManyRequestsException("Rate Exceeded.", members={"Reason": "R"})
    response = await url.ask()
    assert response.status == 429
    assert json.loads(await body(response)) == {"Reason": "R", "Type": "User", "message": "Rate Exceeded."}


async def test_preflight_requests_never_reach_the_function(url: Url) -> None:
    cors = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["PUT"]}
    await url.aws.call("UpdateFunctionUrlConfig", FunctionName="hello", AuthType="AWS_IAM", Cors=cors)
    preflight = {"origin": "https://a.example", "access_control_request_method": "PUT"}
    response = await url.ask("OPTIONS", **preflight)
    assert (response.status, response.body) == (200, b"")
    assert ("access-control-allow-methods", "PUT") in response.headers
    assert not url.aws.invoker.calls
    await url.aws.call("UpdateFunctionUrlConfig", FunctionName="hello", AuthType="NONE", Cors={})
    url.returns(b"1")
    await url.ask("OPTIONS", **preflight)
    assert len(url.aws.invoker.calls) == 1


@pytest.mark.parametrize(
    ("pieces", "content_type", "status", "expected", "kind"),
    [
        ([PRELUDE[:9], PRELUDE[9:] + b"A", b"\0B"], INTEGRATION, 206, b"A\0B", "application/json"),
        ([b"A", b"B"], "text/x", 200, b"AB", "text/x"),
        ([b"A"], None, 200, b"A", "application/octet-stream"),
        ([], INTEGRATION, 200, b"", "application/json"),
        ([b"no prelude"], INTEGRATION, 502, b"Internal Server Error", "application/json"),
    ],
)
async def test_streamed(
    url: Url, pieces: list[bytes], content_type: str | None, status: int, expected: bytes, kind: str
) -> None:
    await url.aws.call("UpdateFunctionUrlConfig", FunctionName="hello", InvokeMode="RESPONSE_STREAM")
    url.aws.invoker.result = url.stream(pieces, content_type)
    response = await url.ask()
    assert (response.status, await body(response)) == (status, expected)
    assert ("content-type", kind) in response.headers
    assert (("set-cookie", "s=1") in response.headers) is (status == 206)


async def test_what_is_not_streamed_is_sent_whole_and_described_by_itself(url: Url) -> None:
    await url.aws.call("UpdateFunctionUrlConfig", FunctionName="hello", InvokeMode="RESPONSE_STREAM")
    payload = b'{"statusCode":202,"headers":{"X-A":"b"},"body":"x"}'
    url.returns(payload)
    response = await url.ask()
    assert (response.status, response.body) == (202, payload)
    assert ("x-a", "b") in response.headers
    url.returns(b'{"errorType":"x"}', "Unhandled")
    response = await url.ask()
    assert (response.status, response.body) == (200, b'{"errorType":"x"}')


@pytest.mark.parametrize(
    ("pieces", "content_type", "status", "expected"),
    [
        ([PRELUDE + b"A"], INTEGRATION, 206, b""),
        ([b"A\0", b"B"], "text/x", 200, b"A\0B"),
        ([], "text/x", 200, b""),
    ],
)
async def test_streamed_to_a_url_that_does_not_stream(
    url: Url, pieces: list[bytes], content_type: str, status: int, expected: bytes
) -> None:
    url.aws.invoker.result = url.stream(pieces, content_type)
    response = await url.ask()
    assert (response.status, await body(response)) == (status, expected)


async def test_head_leaves_the_stream_alone(url: Url) -> None:
    await url.aws.call("UpdateFunctionUrlConfig", FunctionName="hello", InvokeMode="RESPONSE_STREAM")
    stream = url.aws.invoker.result = url.stream([PRELUDE + b"A"], INTEGRATION)
    response = await url.ask("HEAD")
    assert (response.status, response.body, stream.left) == (206, b"", True)


async def test_an_event_that_is_too_large(url: Url) -> None:
    assert (await url.ask(x_large="x" * 6_300_000)).status == 413
    assert not url.aws.invoker.calls
