"""The whole front door on a socket, asked by boto3, and by clients with something wrong about them."""

import asyncio
import datetime
from unittest.mock import patch

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lambent.api.chain import Gateway
from lambent.api.errors import refuse
from lambent.api.root_key import RootCredentials, RootKey
from lambent.http.limits import Limits
from lambent.http.listener import HttpListener
from lambent.model.service import Service

ROOT = RootKey(
    access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)


class Everything:
    async def authorize(self, caller, action, resource_arn, context=None, policy=None):
        raise AssertionError("the root is not asked about")


async def answer(caller, parameters):
    if "FunctionName" in parameters:
        return {"StatusCode": 200, "Payload": caller.account_id.encode() + parameters.get("Payload", b"")}
    if caller.headers.get("x-amz-target"):
        return {}
    return {"Account": caller.account_id, "Arn": caller.principal_arn, "UserId": caller.user_id}


def service(name, *operations):
    return Service(name=name, operations=dict.fromkeys(operations, answer), resource_arn=lambda *_: "*")


@pytest.fixture
async def endpoint():
    offered = [
        service("lambda", "Invoke"),
        service("logs", "DescribeLogGroups"),
        service("iam", "ListRoles"),
        service("sts", "GetCallerIdentity"),
    ]
    gateway = Gateway(offered, RootCredentials(ROOT, "123456789012"), Everything())
    listener = HttpListener(gateway.handle, limits=Limits(body_bytes_max=8_000_000), refusal=refuse)
    await listener.start()
    yield f"http://127.0.0.1:{listener.addresses[0][1]}"
    await listener.close()


def client(name, endpoint, key=ROOT.access_key_id, secret=ROOT.secret_access_key):
    return boto3.client(
        name,
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


async def code_of(call, **parameters):
    with pytest.raises(ClientError) as caught:
        await asyncio.to_thread(call, **parameters)
    response = caught.value.response
    return (
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"]["Code"],
        response["Error"]["Message"],
    )


async def raw(endpoint, wire):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(endpoint.rpartition(":")[2]))
    writer.write(wire)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


async def test_boto3_is_understood_in_every_protocol(endpoint):
    identity = await asyncio.to_thread(client("sts", endpoint).get_caller_identity)
    assert identity["Arn"] == "arn:aws:iam::123456789012:root"
    assert len(identity["ResponseMetadata"]["RequestId"]) == 36
    invoke = client("lambda", endpoint).invoke
    result = await asyncio.to_thread(invoke, FunctionName="f", Payload=b"!" * 100_000)
    assert result["Payload"].read() == b"123456789012" + b"!" * 100_000
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:f:$LATEST"
    assert (await asyncio.to_thread(invoke, FunctionName=arn))["StatusCode"] == 200
    assert (await asyncio.to_thread(client("logs", endpoint).describe_log_groups))["ResponseMetadata"]


@pytest.mark.parametrize(
    ("name", "call", "unknown", "mismatch", "status"),
    [
        ("lambda", "list_functions", "UnrecognizedClientException", "InvalidSignatureException", 403),
        ("logs", "describe_log_groups", "UnrecognizedClientException", "InvalidSignatureException", 400),
        ("iam", "list_roles", "InvalidClientTokenId", "SignatureDoesNotMatch", 403),
    ],
)
async def test_wrong_keys_and_wrong_secrets(endpoint, name, call, unknown, mismatch, status):
    wrong_key = client(name, endpoint, key="AKIAIOSFODNN7EXAMPLF")
    assert (await code_of(getattr(wrong_key, call)))[:2] == (status, unknown)
    wrong_secret = client(name, endpoint, secret="wrong")
    found_status, code, message = await code_of(getattr(wrong_secret, call))
    assert (found_status, code) == (status, mismatch)
    assert "The Canonical String for this request should have been" in message


async def test_a_wrong_clock(endpoint):
    now = datetime.datetime.now(datetime.UTC)
    for minutes, words in ((-6, "Signature expired: "), (6, "Signature not yet current: ")):
        with patch(
            "botocore.auth.get_current_datetime", return_value=now + datetime.timedelta(minutes=minutes)
        ):
            status, code, message = await code_of(client("lambda", endpoint).list_functions)
        assert (status, code) == (403, "InvalidSignatureException")
        assert message.startswith(words)


async def test_unsigned(endpoint):
    wire = b"GET /2015-03-31/functions/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    response = await raw(endpoint, wire)
    assert response.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b'{"message":"Missing Authentication Token"}' in response.replace(b'": "', b'":"')
    assert b"MissingAuthenticationTokenException" in response
    form = b"Action=GetCallerIdentity&Version=2011-06-15"
    wire = (
        b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(form), form)
    )
    response = await raw(endpoint, wire)
    assert response.startswith(b"HTTP/1.1 403 ")
    assert b"<Code>MissingAuthenticationToken</Code>" in response


async def test_a_presigned_url_and_its_replay_after_expiry(endpoint):
    def presign(seconds_ago):
        moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=seconds_ago)
        with patch("botocore.auth.get_current_datetime", return_value=moment):
            url = client("sts", endpoint).generate_presigned_url(
                "get_caller_identity", ExpiresIn=60, HttpMethod="GET"
            )
        return url.removeprefix(endpoint).encode()

    authority = endpoint.removeprefix("http://").encode()
    wire = b"GET %s HTTP/1.1\r\nHost: " + authority + b"\r\nConnection: close\r\n\r\n"
    response = await raw(endpoint, wire % presign(0))
    assert b"<Account>123456789012</Account>" in response
    response = await raw(endpoint, wire % presign(61))
    assert response.startswith(b"HTTP/1.1 403 ")
    assert b"Signature expired: " in response
    response = await raw(endpoint, wire % presign(0).replace(b"Expires=60", b"Expires=99"))
    assert b"<Code>SignatureDoesNotMatch</Code>" in response


async def test_what_lambent_does_not_offer(endpoint):
    status, code, message = await code_of(client("lambda", endpoint).list_functions)
    assert (status, code) == (404, "UnknownOperationException")
    assert "ListFunctions" in message
    status, code, message = await code_of(client("kinesis", endpoint).list_streams)
    assert (status, code) == (400, "UnknownOperationException")
    assert "kinesis" in message
    status, code, message = await code_of(client("cloudformation", endpoint).list_stacks)
    assert (status, code) == (400, "InvalidAction")
    assert "cloudformation" in message


async def test_a_body_larger_than_any_operation_takes(endpoint):
    head = b"POST /2015-03-31/functions/f/invocations HTTP/1.1\r\nHost: h\r\nContent-Length: 8000001\r\n\r\n"
    response = await raw(endpoint, head)
    assert response.startswith(b"HTTP/1.1 413 ")
    assert b"x-amzn-errortype: RequestEntityTooLargeException" in response


async def test_health(endpoint):
    wire = b"GET /_lambent/health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    assert (await raw(endpoint, wire)).endswith(b'{"status":"ok"}')
