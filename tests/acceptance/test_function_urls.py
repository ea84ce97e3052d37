"""Function URLs with boto3 and plain HTTP: who is let in, what the function sees, what it answers, and when."""

import http.client
import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from lambent_server import Lambent

from lambent.server.function_url_names import HOSTS, needs_hosts_file

NewServer = Callable[..., Lambent]

ANSWERS = """
import json

def handler(event, context):
    answer = event["headers"].get("x-answer")
    if answer == "raise":
        raise ValueError("no")
    return json.loads(answer) if answer else event
"""
STREAMS = """
export const handler = awslambda.streamifyResponse(async (event, out) => {
  out = awslambda.HttpResponseStream.from(out, {statusCode: 201, headers: {'X-Made': 'here'}, cookies: ['a=1']});
  out.write('first ');
  if (event.rawPath === '/slow') await new Promise((resolve) => setTimeout(resolve, 60000));
  out.end('last');
});
"""
Headers = list[tuple[str, str]]


@dataclass
class Answer:
    status: int
    headers: Headers
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found.lower() == name]


def send(
    url: str, method: str = "GET", path: str = "/", headers: dict[str, str] | None = None, body: Any = None
) -> Answer:
    """Without resolving the URL's name, which hosts without nss-myhostname cannot."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=10)
    try:
        connection.request(method, path, body, {"host": urlsplit(url).netloc} | (headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


def open_to_everybody(lambent: Lambent, name: str, qualifier: str | None = None) -> None:
    where = {"FunctionName": name} | ({"Qualifier": qualifier} if qualifier else {})
    lambent.lambda_.add_permission(
        **where,
        StatementId="url",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    lambent.lambda_.add_permission(
        **where,
        StatementId="invoke",
        Action="lambda:InvokeFunction",
        Principal="*",
        InvokedViaFunctionUrl=True,
    )


def url_of(lambent: Lambent, name: str, **parameters: Any) -> str:
    parameters = {"AuthType": "NONE"} | parameters
    return str(lambent.lambda_.create_function_url_config(FunctionName=name, **parameters)["FunctionUrl"])


def sign(url: str, keys: Credentials) -> dict[str, str]:
    """The headers of a GET."""
    request = AWSRequest("GET", url, headers={"host": urlsplit(url).netloc})
    SigV4Auth(keys, "lambda", "us-east-1").add_auth(request)
    return dict(request.headers.items())


@pytest.fixture
def answers(lambent: Lambent) -> str:
    return lambent.python(ANSWERS)


@pytest.fixture
def open_url(lambent: Lambent, answers: str) -> str:
    open_to_everybody(lambent, answers)
    return url_of(lambent, answers)


def test_everybody_needs_both_permissions(lambent: Lambent, answers: str) -> None:
    url = url_of(lambent, answers)
    refused = send(url)
    assert (refused.status, refused.header("x-amzn-errortype")) == (403, ["AccessDeniedException"])
    assert json.loads(refused.body)["Message"].startswith("Forbidden. For troubleshooting Function URL")
    open_to_everybody(lambent, answers)
    assert send(url).status == 200
    # That permission opens the function's URL, not the function.
    policy = json.loads(lambent.lambda_.get_policy(FunctionName=answers)["Policy"])
    assert policy["Statement"][1]["Condition"] == {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
    lambent.lambda_.remove_permission(FunctionName=answers, StatementId="invoke")
    assert send(url).status == 403


def test_the_event(open_url: str) -> None:
    answer = send(
        open_url,
        "POST",
        "/a%20b/c?x=1&x=2&y=%20",
        {"cookie": "a=1; b=2", "x-twice": "one", "content-type": "image/png"},
        b"\x89PNG",
    )
    event = json.loads(answer.body)
    assert answer.status == 200
    assert answer.header("content-type") == ["application/json"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == "$default"
    assert event["rawPath"] == "/a%20b/c"
    assert event["rawQueryString"] == "x=1&x=2&y=%20"
    assert event["queryStringParameters"] == {"x": "1,2", "y": " "}
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["headers"]["x-twice"] == "one"
    assert (event["body"], event["isBase64Encoded"]) == ("iVBORw==", True)
    context = event["requestContext"]
    assert context["domainName"].startswith(context["domainPrefix"] + ".lambda-url.us-east-1.")
    assert context["http"]["method"] == "POST"
    assert context["http"]["sourceIp"] == "127.0.0.1"
    assert answer.header("x-amzn-requestid") == [context["requestId"]]


def test_the_answer(open_url: str) -> None:
    made = {
        "statusCode": 202,
        "headers": {"X-Made": "here", "Content-Type": "text/plain"},
        "cookies": ["a=1; Secure", "b=2"],
        "body": "aGVsbG8=",
        "isBase64Encoded": True,
    }
    answer = send(open_url, headers={"x-answer": json.dumps(made)})
    assert (answer.status, answer.body) == (202, b"hello")
    assert answer.header("set-cookie") == ["a=1; Secure", "b=2"]
    assert (answer.header("x-made"), answer.header("content-type")) == (["here"], ["text/plain"])
    for answer in (send(open_url, headers={"x-answer": given}) for given in ("raise", '{"statusCode": 99}')):
        assert (answer.status, answer.body) == (502, b"Internal Server Error")


def test_the_name_that_aws_would_give(open_url: str) -> None:
    id = urlsplit(open_url).netloc.partition(".")[0]
    assert send(open_url, headers={"host": f"{id}.lambda-url.us-east-1.on.aws"}).status == 200
    nobody = send(open_url, headers={"host": f"{'a' * 32}.lambda-url.us-east-1.on.aws"})
    assert (nobody.status, nobody.body) == (403, b'{"Message":null}')


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl, which resolves names below localhost itself")
def test_curl_needs_no_help(open_url: str) -> None:
    answer = subprocess.run(
        ["curl", "-sf", open_url + "path"], capture_output=True, check=True, timeout=10
    ).stdout
    assert json.loads(answer)["rawPath"] == "/path"


def test_programs_find_the_name(new_server: NewServer) -> None:
    if needs_hosts_file("localhost") and not os.access(HOSTS, os.W_OK):
        pytest.skip("the host neither knows names below localhost nor may they be written to /etc/hosts")
    lambent = new_server()
    name = lambent.python(ANSWERS)
    open_to_everybody(lambent, name)
    url = url_of(lambent, name)
    with urllib.request.urlopen(url + "path", timeout=10) as answer:
        assert json.load(answer)["rawPath"] == "/path"
    lambent.stop()
    assert str(urlsplit(url).hostname) not in HOSTS.read_text()


def test_signed_requests(lambent: Lambent, answers: str) -> None:
    url = url_of(lambent, answers, AuthType="AWS_IAM")
    assert send(url).status == 403
    keys = Credentials(lambent.server.access_key_id, lambent.server.secret_access_key)
    signed = sign(url + "x", keys)
    event = json.loads(send(url, path="/x", headers=signed).body)
    assert event["requestContext"]["authorizer"]["iam"]["accessKey"] == keys.access_key
    assert b"signature" in send(url, path="/y", headers=signed).body


def test_a_role_needs_both_actions(lambent: Lambent, answers: str) -> None:
    url = url_of(lambent, answers, AuthType="AWS_IAM")
    name = lambent.new_name("role")
    principal = {"AWS": lambent.account_id}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    role = lambent.make_role(name, {"Version": "2012-10-17", "Statement": [trust]})
    session = lambent.sts.assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    keys = Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])

    def status() -> int:
        return send(url, headers=sign(url, keys)).status

    # One by the role's policy, the other by the function's.
    signed_only = {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}
    statement = {
        "Effect": "Allow",
        "Action": "lambda:InvokeFunctionUrl",
        "Resource": "*",
        "Condition": signed_only,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert status() == 403
    lambent.iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy)
    assert status() == 403
    lambent.lambda_.add_permission(
        FunctionName=answers,
        StatementId="url",
        Action="lambda:InvokeFunction",
        Principal=role,
        InvokedViaFunctionUrl=True,
    )
    assert status() == 200
    direct = lambent.client(
        "lambda",
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token,
    )
    with pytest.raises(ClientError, match="lambda:InvokeFunction"):
        direct.invoke(FunctionName=answers)


def test_pages_of_other_origins(lambent: Lambent, answers: str) -> None:
    open_to_everybody(lambent, answers)
    cors = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["PUT"], "MaxAge": 60}
    url = url_of(lambent, answers, Cors=cors)
    asked = {"origin": "https://a.example", "access-control-request-method": "PUT"}
    preflight = send(url, "OPTIONS", headers=asked)
    assert preflight.header("access-control-allow-methods") == ["PUT"]
    assert preflight.header("access-control-max-age") == ["60"]
    assert send(url, headers=asked).header("access-control-allow-origin") == ["https://a.example"]
    foreign = asked | {"origin": "https://b.example"}
    assert not send(url, "OPTIONS", headers=foreign).header("access-control-allow-origin")
    assert not send(url, headers=foreign).header("access-control-allow-origin")


def test_a_function_without_room_answers_429(lambent: Lambent, answers: str, open_url: str) -> None:
    lambent.lambda_.put_function_concurrency(FunctionName=answers, ReservedConcurrentExecutions=0)
    answer = send(open_url)
    assert answer.status == 429
    assert json.loads(answer.body)["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_streams_arrive_while_the_function_runs(lambent: Lambent) -> None:
    name = lambent.node(STREAMS)
    open_to_everybody(lambent, name)
    url = url_of(lambent, name, InvokeMode="RESPONSE_STREAM")
    whole = send(url)
    assert (whole.status, whole.body) == (201, b"first last")
    assert (whole.header("x-made"), whole.header("set-cookie")) == (["here"], ["a=1"])
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=10)
    began = time.monotonic()
    connection.request("GET", "/slow", headers={"host": urlsplit(url).netloc})
    response = connection.getresponse()
    assert response.read1() == b"first "
    assert time.monotonic() - began < 5
    connection.close()


def test_an_alias_has_its_own_url(lambent: Lambent, answers: str) -> None:
    version = lambent.lambda_.publish_version(FunctionName=answers)["Version"]
    lambent.lambda_.create_alias(FunctionName=answers, Name="live", FunctionVersion=version)
    url = url_of(lambent, answers, Qualifier="live")
    open_to_everybody(lambent, answers)
    assert send(url).status == 403
    open_to_everybody(lambent, answers, "live")
    assert send(url).status == 200
    lambent.lambda_.delete_alias(FunctionName=answers, Name="live")
    gone = send(url)
    assert (gone.status, gone.header("x-amzn-errortype")) == (403, ["AccessDeniedException"])
    assert b"Forbidden. For troubleshooting" in gone.body
    lambent.lambda_.delete_function_url_config(FunctionName=answers, Qualifier="live")
    assert send(url).body == b'{"Message":null}'


def test_urls_outlive_the_server(new_server: NewServer) -> None:
    lambent = new_server()
    name = lambent.python(ANSWERS)
    open_to_everybody(lambent, name)
    url = url_of(lambent, name)
    host = urlsplit(url).netloc.partition(":")[0]
    lambent.stop()
    lambent.start_again()
    assert send(lambent.endpoint, headers={"host": host}).status == 200
    lambent.lambda_.delete_function(FunctionName=name)
    assert send(lambent.endpoint, headers={"host": host}).status == 403
