"""The chain, with operations that only say what they were given."""

import json
import logging
from dataclasses import replace

import pytest

from lambent.api.chain import Gateway
from lambent.api.client import InProcessClient
from lambent.api.dev_credentials import DevCredentials
from lambent.api.errors import refuse
from lambent.base.clock import ManualClock
from lambent.http.message import Request
from lambent.model.caller import Caller
from lambent.model.error import AccessDeniedException, UnknownOperationException
from lambent.model.service import Service


class Recorder:
    """Services whose operations keep their caller and parameters; an authorizer that keeps what it was asked."""

    def __init__(self):
        self.calls = []
        self.asked = []
        self.denies = False
        self.fails = None

    async def operation(self, caller, parameters):
        self.calls.append((caller, parameters))
        if self.fails:
            raise self.fails
        return {}

    async def authorize(self, caller, action, resource_arn, context=None, policy=None):
        self.asked.append((action, resource_arn))
        if self.denies:
            raise AccessDeniedException(f"may not {action}")

    def service(self, name, *operations):
        return Service(
            name=name,
            operations=dict.fromkeys(operations, self.operation),
            resource_arn=lambda operation, caller, parameters: f"arn:of:{operation}",
        )


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def services(recorder):
    return [
        recorder.service("lambda", "GetFunction", "Invoke", "ListFunctions"),
        recorder.service("logs", "DescribeLogGroups"),
        recorder.service("iam", "GetRole"),
        recorder.service("sts", "GetCallerIdentity"),
    ]


@pytest.fixture
def gateway(recorder, services):
    return Gateway(services, DevCredentials(), recorder, ManualClock())


def asked(method="GET", target="/2015-03-31/functions/hello", body=b"", peer="127.0.0.1", **headers):
    path, _, query = target.partition("?")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, target, path, query, {"host": "127.0.0.1:4566", **named}, body, peer)


def signed(service, key="AKIAX", region="eu-west-1"):
    credential = f"{key}/20260101/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=x"


def form(text):
    return {
        "method": "POST",
        "target": "/",
        "body": text,
        "content_type": "application/x-www-form-urlencoded",
    }


def target(name):
    content_type = "application/x-amz-json-1.1"
    return {
        "method": "POST",
        "target": "/",
        "body": b"{}",
        "x_amz_target": name,
        "content_type": content_type,
    }


async def test_an_unsigned_request_in_dev_mode_is_the_root_s(gateway, recorder):
    response = await gateway.handle(asked(user_agent="me"))
    assert response.status == 200
    ((caller, parameters),) = recorder.calls
    assert parameters["FunctionName"] == "hello"
    assert (caller.account_id, caller.region) == ("000000000000", "us-east-1")
    assert caller.principal_arn == "arn:aws:iam::000000000000:root"
    assert (caller.endpoint_url, caller.user_agent, caller.source_ip) == (
        "http://127.0.0.1:4566",
        "me",
        "127.0.0.1",
    )
    assert ("x-amzn-requestid", caller.request_id) in [
        (name.lower(), value) for name, value in response.headers
    ]


async def test_a_scope_says_account_and_region(gateway, recorder):
    await gateway.handle(asked(authorization=signed("lambda", key="123456789012", region="cn-north-1")))
    ((caller, _),) = recorder.calls
    assert (caller.account_id, caller.region, caller.partition) == ("123456789012", "cn-north-1", "aws-cn")


@pytest.mark.parametrize(
    "request_",
    [
        asked(**target("Logs_20140328.DescribeLogGroups")),
        asked(**target("Logs_20140328.DescribeLogGroups"), authorization=signed("logs")),
        asked(**form(b"Action=GetRole&Version=2010-05-08&RoleName=r")),
        asked(**form(b"Action=GetRole&Version=2010-05-08&RoleName=r"), authorization=signed("iam")),
        asked(**form(b"Action=GetCallerIdentity&Version=2011-06-15")),
        asked(target="/?Action=GetCallerIdentity&Version=2011-06-15", authorization=signed("sts")),
        asked(target="/2015-03-31/functions/"),
    ],
)
async def test_every_protocol_finds_its_operation(gateway, recorder, request_):
    assert (await gateway.handle(request_)).status == 200
    assert len(recorder.calls) == 1


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        (
            asked(target="/nothing/here", authorization=signed("lambda")),
            404,
            "no operation for GET /nothing/here",
        ),
        (
            asked(target="/2015-03-31/functions/f/policy", authorization=signed("lambda")),
            404,
            "operation GetPolicy of lambda",
        ),
        (
            asked(**target("Logs_20140328.Nonsense"), authorization=signed("logs")),
            400,
            "Logs_20140328.Nonsense",
        ),
        (
            asked(**target("Logs_20140328.DeleteLogGroup"), authorization=signed("logs")),
            400,
            "DeleteLogGroup of logs",
        ),
        (asked(**target("AWSEvents.PutRule"), authorization=signed("events")), 400, "service events"),
        (asked(target="/v1/apis", authorization=signed("appsync")), 404, "service appsync"),
    ],
)
async def test_what_is_not_offered_is_named(gateway, recorder, request_, status, words):
    response = await gateway.handle(request_)
    assert response.status == status
    assert words in response.body.decode()
    assert b"Lambent" in response.body
    assert not recorder.calls


async def test_an_action_that_aws_has_not_either_is_told_in_its_words(gateway: Gateway) -> None:
    request = asked(**form(b"Action=Nonsense&Version=2010-05-08"), authorization=signed("iam"))
    response = await gateway.handle(request)
    assert response.status == 400
    assert b"<Message>The action Nonsense is not valid for this endpoint.</Message>" in response.body


async def test_bad_parameters_are_the_wire_s_error(gateway, recorder):
    response = await gateway.handle(
        asked(**form(b"Action=GetRole&Version=2010-05-08"), authorization=signed("iam"))
    )
    assert response.status == 400
    assert not recorder.calls


async def test_only_this_machine_is_answered_in_dev_mode(gateway, recorder):
    for stranger in (
        asked(peer="192.0.2.7"),
        asked(peer=""),
        asked(peer="::ffff:192.0.2.7"),
        asked(origin="https://evil.example"),
        asked(origin="null"),
        asked(origin="http://127.0.0.1.evil.example"),
        asked(origin="http://[::1"),
        asked(target="/?Action=DeleteRole&RoleName=r&Version=2010-05-08", sec_fetch_site="cross-site"),
        asked(host="rebound.evil.example:4566"),
        asked(host="127.0.0.1.evil.example"),
        asked(host="localhost.evil.example"),
        asked(host=""),
    ):
        assert (await gateway.handle(stranger)).status == 403
    assert not recorder.calls
    for friend in (asked(peer="::1"), asked(peer="::ffff:127.0.0.1"), asked(origin="http://localhost:4566")):
        assert (await gateway.handle(friend)).status == 200
    for host in ("localhost", "LOCALHOST:4566", "lambda.localhost:4566", "[::1]:4566", "192.0.2.1"):
        assert (await gateway.handle(asked(host=host))).status == 200
    for friend in (
        asked(sec_fetch_site="none"),
        asked(sec_fetch_site="cross-site", origin="http://localhost:3000"),
    ):
        assert (await gateway.handle(friend)).status == 200


async def test_a_region_must_look_like_one_even_in_dev_mode(gateway):
    response = await gateway.handle(asked(authorization=signed("lambda", region="moon_1")))
    assert response.status == 403
    assert b"Credential should be scoped to a valid region, not 'moon_1'. " in response.body


async def test_chunked_bodies_are_unpacked_in_dev_mode(gateway, recorder):
    response = await gateway.handle(
        asked(
            method="POST",
            target="/2015-03-31/functions/f/invocations",
            body=b"2\r\n{}\r\n0\r\n\r\n",
            x_amz_content_sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        )
    )
    assert response.status == 200
    assert recorder.calls[0][1]["Payload"] == b"{}"


async def test_health_needs_no_signature(gateway, recorder):
    response = await gateway.handle(asked(target="/_lambent/health", peer="192.0.2.7"))
    assert (response.status, response.body) == (200, b'{"status":"ok"}')
    assert (await gateway.handle(asked(method="POST", target="/_lambent/health"))).status == 405


async def test_a_bug_is_logged_once_and_not_told(gateway, recorder, caplog):
    recorder.fails = RuntimeError("the secret")
    response = await gateway.handle(asked(authorization=signed("lambda")))
    assert response.status == 500
    assert b"secret" not in response.body
    headers = {name.lower(): value for name, value in response.headers}
    assert headers["x-amzn-errortype"] == "ServiceException"
    assert json.loads(response.body)["Type"] == "Service"
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert headers["x-amzn-requestid"] in record.getMessage()
    assert record.exc_info[1] is recorder.fails


async def test_iam_calls_its_failure_service_failure(gateway, recorder):
    recorder.fails = RuntimeError("the secret")
    response = await gateway.handle(asked(**form(b"Action=GetRole&Version=2010-05-08&RoleName=r")))
    assert response.status == 500
    assert b"<Code>ServiceFailure</Code>" in response.body


class SessionKeys:
    """The session of a role, and one of the root."""

    def find(self, access_key_id, session_token):
        from lambent.model.credential import Credential

        if access_key_id != "ASIAROLE":
            return None
        return Credential(
            access_key_id=access_key_id,
            secret_access_key="s",
            session_token="t",
            account_id="1" * 12,
            principal_arn="arn:aws:sts::111111111111:assumed-role/r/s",
            role_arn="arn:aws:iam::111111111111:role/r",
            user_id="AROA:s",
        )


async def test_a_session_is_authorized_by_action_and_resource(recorder, services):
    gateway = Gateway(services, DevCredentials(SessionKeys()), recorder, ManualClock())
    invoke = asked(
        method="POST",
        target="/2015-03-31/functions/f/invocations",
        authorization=signed("lambda", key="ASIAROLE"),
    )
    assert (await gateway.handle(invoke)).status == 200
    assert recorder.asked == [("lambda:InvokeFunction", "arn:of:Invoke")]
    recorder.denies = True
    response = await gateway.handle(invoke)
    assert response.status == 403
    assert b"may not lambda:InvokeFunction" in response.body
    assert len(recorder.calls) == 1


async def test_every_resource_of_an_operation_is_authorized(recorder):
    several = Service(
        name="logs",
        operations={"DescribeLogGroups": recorder.operation},
        resource_arn=lambda operation, caller, parameters: ("arn:of:a", "arn:of:b"),
    )
    gateway = Gateway([several], DevCredentials(SessionKeys()), recorder, ManualClock())
    request = asked(**target("Logs_20140328.DescribeLogGroups"), authorization=signed("logs", key="ASIAROLE"))
    assert (await gateway.handle(request)).status == 200
    assert recorder.asked == [
        ("logs:DescribeLogGroups", "arn:of:a"),
        ("logs:DescribeLogGroups", "arn:of:b"),
    ]


async def test_a_session_is_of_one_partition(recorder, services):
    """A region of another would give resources other ARNs than the role's policies deny."""
    gateway = Gateway(services, DevCredentials(SessionKeys()), recorder, ManualClock())
    request = asked(authorization=signed("lambda", key="ASIAROLE", region="cn-north-1"))
    response = await gateway.handle(request)
    assert response.status == 403
    assert b"The security token included in the request is invalid." in response.body
    assert not recorder.calls


async def test_the_root_is_not_asked_about(gateway, recorder):
    recorder.denies = True
    assert (await gateway.handle(asked())).status == 200
    assert recorder.asked == []


async def test_requests_are_logged_at_debug_and_slow_ones_always(recorder, services, caplog):
    clock = ManualClock()
    gateway = Gateway(services, DevCredentials(), recorder, clock, slow_request_seconds=1.0)
    await gateway.handle(asked())
    assert not caplog.records
    with caplog.at_level(logging.DEBUG, logger="lambent.access"):
        await gateway.handle(asked())
    assert "127.0.0.1 GET /2015-03-31/functions/hello: 200, lambda.GetFunction in 0.0 ms" in caplog.text

    async def slow(caller, parameters):
        clock.advance(2)
        return {}

    for service, path, count in ((services[0], "", 1), (services[0], "/invocations", 1)):
        service.operations.update(GetFunction=slow, Invoke=slow)
        await gateway.handle(asked("POST" if path else "GET", f"/2015-03-31/functions/hello{path}"))
        assert len([one for one in caplog.records if one.levelno == logging.WARNING]) == count


CALLER = Caller(
    account_id="1" * 12,
    region="us-east-1",
    principal_arn="arn:aws:sts::111111111111:assumed-role/r/s",
    user_id="AROA:s",
    access_key_id="ASIAROLE",
    request_id="r-1",
)


async def test_services_call_each_other_through_the_same_checks(recorder, services):
    client = InProcessClient(recorder)
    client.offer(services)
    await client("lambda", "Invoke", CALLER, {"FunctionName": "f"})
    assert recorder.calls == [(CALLER, {"FunctionName": "f"})]
    assert recorder.asked == [("lambda:InvokeFunction", "arn:of:Invoke")]
    recorder.denies = True
    with pytest.raises(AccessDeniedException):
        await client("lambda", "Invoke", CALLER, {"FunctionName": "f"})
    for service, operation in (("sqs", "SendMessage"), ("lambda", "GetPolicy")):
        with pytest.raises(UnknownOperationException, match=f"{service}"):
            await client(service, operation, CALLER, {})


async def test_a_call_from_inside_has_a_request_id_of_its_own(recorder, services):
    client = InProcessClient(recorder)
    client.offer(services)
    for _ in range(2):
        await client("lambda", "Invoke", replace(CALLER, request_id=""), {"FunctionName": "f"})
    (first, _), (second, _) = recorder.calls
    assert len(first.request_id) == len(second.request_id) == 36
    assert first.request_id != second.request_id


def test_the_answer_to_the_unreadable():
    response = refuse(413, "Request must be smaller than 1 bytes")
    assert response.status == 413
    assert ("x-amzn-errortype", "RequestEntityTooLargeException") in response.headers
    assert json.loads(response.body)["message"] == "Request must be smaller than 1 bytes"
