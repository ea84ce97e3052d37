"""What each protocol looks like on the wire, where botocore's own reading of it would not show."""

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from xml.etree import ElementTree

import orjson
import pytest

from lambent.http.message import Request, Response
from lambent.model.error import AccessDeniedException, ServiceException
from lambent.wire import cbor
from lambent.wire.service import Match, load_service


class ResourceNotFoundException(ServiceException):
    pass


class NoSuchEntityException(ServiceException):
    pass


class NoSuchBucket(ServiceException):
    pass


class QueueDoesNotExist(ServiceException):
    pass


def answer(service: str, protocol: str, operation: str, output: dict[str, object]) -> Response:
    return load_service(service)._compile(protocol, operation).serialize(output, "request-1")


def text(response: Response) -> str:
    assert isinstance(response.body, bytes)
    return response.body.decode()


def sent(
    service: str, method: str, target: str, headers: dict[str, str], body: bytes = b""
) -> tuple[Match, dict[str, object]]:
    wire = load_service(service)
    path, _, query = target.partition("?")
    request = Request(method, target, path, query, headers, body)
    match = wire.match(request)
    assert match is not None
    return match, wire.parse(match, request)


def test_invoke_passes_payload_and_headers_untouched() -> None:
    headers = {"x-amz-invocation-type": "Event", "x-amz-client-context": "e30=", "host": "h"}
    body = b'{"not": "read",}'
    _, received = sent("lambda", "POST", "/2015-03-31/functions/f/invocations?Qualifier=live", headers, body)
    assert received == {
        "FunctionName": "f", "InvocationType": "Event", "ClientContext": "e30=", "Qualifier": "live", "Payload": body
    }  # fmt: skip
    output = {"StatusCode": 202, "Payload": b"not json", "FunctionError": "Unhandled", "LogResult": None}
    assert answer("lambda", "rest-json", "Invoke", output) == Response(
        202,
        [
            ("x-amzn-RequestId", "request-1"),
            ("X-Amz-Function-Error", "Unhandled"),
            ("Content-Type", "application/json"),
        ],
        b"not json",
    )


def test_invoke_without_payload() -> None:
    _, received = sent("lambda", "POST", "/2015-03-31/functions/f/invocations", {})
    assert received == {"FunctionName": "f"}
    assert answer("lambda", "rest-json", "Invoke", {"StatusCode": 204}).status == 204


async def test_streaming_blobs_pass_through() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"a"

    body = chunks()
    assert answer("s3", "rest-xml", "GetObject", {"Body": body, "ContentLength": 1}).body is body
    assert [chunk async for chunk in body] == [b"a"]


def test_status_of_the_model_and_empty_bodies() -> None:
    assert answer("lambda", "rest-json", "CreateFunction", {}).status == 201
    deleted = answer("lambda", "rest-json", "DeleteAlias", {})
    assert (deleted.status, deleted.body, deleted.headers) == (204, b"", [("x-amzn-RequestId", "request-1")])
    assert answer("logs", "json", "CreateLogGroup", {}).body == b""
    assert answer("logs", "json", "DescribeLogGroups", {}).body == b"{}"
    assert answer("s3", "rest-xml", "PutObject", {"ETag": '"e"'}).body == b""


def test_an_output_with_a_member_that_the_model_lacks_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="has no member Nmae"):
        answer("lambda", "rest-json", "GetFunction", {"Nmae": "f"})


def test_none_is_absent_and_unknown_members_are_ignored() -> None:
    assert answer("logs", "json", "DescribeLogGroups", {"nextToken": None}).body == b"{}"
    _, received = sent(
        "logs",
        "POST",
        "/",
        {"x-amz-target": "Logs_20140328.DescribeLogGroups"},
        b'{"limit":null,"color":"red"}',
    )
    assert received == {}


def test_epoch_seconds_are_accepted_as_timestamps() -> None:
    for moment in (datetime(2026, 11, 20, tzinfo=UTC), 1795132800, 1795132800.0):
        role = {"Role": {"CreateDate": moment}}
        assert "<CreateDate>2026-11-20T00:00:00Z</CreateDate>" in text(
            answer("iam", "query", "GetRole", role)
        )
        table = {"Table": {"CreationDateTime": moment}}
        assert (
            b'"CreationDateTime":1795132800}'
            in text(answer("dynamodb", "json", "DescribeTable", table)).encode()
        )
        bucket = {"LastModified": moment}
        headers = answer("s3", "rest-xml", "HeadObject", bucket).headers
        assert ("Last-Modified", "Fri, 20 Nov 2026 00:00:00 GMT") in headers


def test_prefixed_headers() -> None:
    headers = {"x-amz-meta-color": "red", "x-amz-meta-": "empty", "x-amz-acl": "private"}
    _, received = sent("s3", "PUT", "/b/k", headers, b"data")
    assert received["Metadata"] == {"color": "red", "": "empty"}
    assert ("x-amz-meta-color", "red") in answer(
        "s3", "rest-xml", "HeadObject", {"Metadata": {"color": "red"}}
    ).headers


def test_lists_in_headers_and_query_strings() -> None:
    _, received = sent(
        "s3", "GET", "/b/k?attributes", {"x-amz-object-attributes": 'ETag, "Checksum",StorageClass'}
    )
    assert received["ObjectAttributes"] == ["ETag", "Checksum", "StorageClass"]
    _, received = sent("lambda", "DELETE", f"/2017-03-31/tags/{ARN}?tagKeys=a&tagKeys=b%2Bc", {})
    assert received["TagKeys"] == ["a", "b+c"]


ARN = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af"


def test_idempotency_tokens_are_filled_in() -> None:
    path = "/schedules/s?clientToken=mine"
    body = {"Name": "s", "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}}
    target = {"Target": {"Arn": "arn:aws:sqs:us-east-1:0:q", "RoleArn": "arn:aws:iam::000000000000:role/r"}}
    whole = orjson.dumps(body | target)
    _, first = sent("scheduler", "POST", "/schedules/s", {}, whole)
    _, second = sent("scheduler", "POST", "/schedules/s", {}, whole)
    assert len({first["ClientToken"], second["ClientToken"]}) == 2
    _, third = sent(
        "scheduler", "POST", path.partition("?")[0], {}, orjson.dumps(body | target | {"ClientToken": "mine"})
    )
    assert third["ClientToken"] == "mine"


def test_iam_query_answer() -> None:
    response = answer("iam", "query", "CreateAccountAlias", {})
    assert text(response) == (
        '<CreateAccountAliasResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata>'
        "<RequestId>request-1</RequestId></ResponseMetadata></CreateAccountAliasResponse>"
    )
    assert ("Content-Type", "text/xml") in response.headers
    root = ElementTree.fromstring(
        text(answer("iam", "query", "ListRoles", {"Roles": [], "IsTruncated": False}))
    )
    result = root.find("{*}ListRolesResult")
    assert result is not None
    assert [child.tag.partition("}")[2] for child in result] == ["Roles", "IsTruncated"]


def test_iam_query_error() -> None:
    response = load_service("iam").serialize_error("query", NoSuchEntityException("no <role>"), "request-1")
    assert response.status == 404
    assert text(response) == (
        '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>'
        "<Code>NoSuchEntity</Code><Message>no &lt;role&gt;</Message></Error>"
        "<RequestId>request-1</RequestId></ErrorResponse>"
    )


def test_rest_json_error() -> None:
    error = ResourceNotFoundException("Function not found", members={"Type": "User"})
    response = load_service("lambda").serialize_error("rest-json", error, "request-1")
    assert response.status == 404
    assert ("x-amzn-ErrorType", "ResourceNotFoundException") in response.headers
    assert orjson.loads(text(response)) == {"Message": "Function not found", "Type": "User"}
    unknown = load_service("lambda").serialize_error("rest-json", AccessDeniedException("no"), "request-1")
    assert (unknown.status, orjson.loads(text(unknown))) == (403, {"message": "no"})


def test_members_of_errors_that_are_headers() -> None:
    class TooManyRequestsException(ServiceException):
        pass

    error = TooManyRequestsException(
        "slow", members={"retryAfterSeconds": "5", "Reason": "CallerRateLimitExceeded"}
    )
    response = load_service("lambda").serialize_error("rest-json", error, "request-1")
    assert (response.status, dict(response.headers)["Retry-After"]) == (429, "5")
    assert orjson.loads(text(response)) == {"message": "slow", "Reason": "CallerRateLimitExceeded"}


def test_query_compatible_services_name_the_former_code() -> None:
    wire = load_service("sqs")
    json = wire.serialize_error("json", QueueDoesNotExist("gone"), "request-1")
    assert ("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender") in json.headers
    assert orjson.loads(text(json)) == {"__type": "QueueDoesNotExist", "message": "gone"}
    query = text(wire.serialize_error("query", QueueDoesNotExist("gone"), "request-1"))
    assert "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in query
    assert 'xmlns="http://queue.amazonaws.com/doc/2012-11-05/"' in query


def test_old_sqs_clients_speak_query() -> None:
    form = b"Action=SendMessage&QueueUrl=u&MessageBody=a+b&Version=2012-11-05&MessageAttribute.1.Name=n"
    form += b"&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v"
    match, received = sent("sqs", "POST", "/", {"content-type": "application/x-www-form-urlencoded"}, form)
    assert received == {
        "QueueUrl": "u",
        "MessageBody": "a b",
        "MessageAttributes": {"n": {"DataType": "String", "StringValue": "v"}},
    }
    body = text(
        load_service("sqs").serialize(match, {"MessageId": "m", "MD5OfMessageBody": "d"}, "request-1")
    )
    assert (
        "<SendMessageResult><MessageId>m</MessageId><MD5OfMessageBody>d</MD5OfMessageBody></SendMessageResult>"
        in body
    )


def test_cbor_answer_and_error() -> None:
    wire = load_service("cloudwatch")
    response = answer("cloudwatch", "smithy-rpc-v2-cbor", "ListMetrics", {"Metrics": [{"Namespace": "n"}]})
    assert {("smithy-protocol", "rpc-v2-cbor"), ("Content-Type", "application/cbor")} <= set(response.headers)
    assert isinstance(response.body, bytes)
    assert cbor.decode(response.body) == {"Metrics": [{"Namespace": "n"}]}
    error = wire.serialize_error("smithy-rpc-v2-cbor", ResourceNotFoundException("gone"), "request-1")
    assert isinstance(error.body, bytes)
    assert cbor.decode(error.body)["__type"] == "ResourceNotFoundException"
    assert error.status == 404


def test_s3_roots_and_namespace() -> None:
    listed = text(
        answer(
            "s3",
            "rest-xml",
            "ListObjectsV2",
            {"Contents": [{"Key": "a\r<b\x00"}, {"Key": "c"}], "KeyCount": 2},
        )
    )
    assert listed == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        "<Contents><Key>a&#13;&lt;b\ufffd</Key></Contents><Contents><Key>c</Key></Contents>"
        "<KeyCount>2</KeyCount></ListBucketResult>"
    )
    assert text(answer("s3", "rest-xml", "GetBucketLocation", {"LocationConstraint": "eu-west-1"})).endswith(
        '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1</LocationConstraint>'
    )


def test_s3_error_and_its_absence_from_head() -> None:
    error = NoSuchBucket("The specified bucket does not exist", members={"BucketName": "b"})
    response = load_service("s3").serialize_error("rest-xml", error, "request-1")
    assert (response.status, dict(response.headers)["x-amz-request-id"]) == (404, "request-1")
    assert text(response).endswith(
        "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message>"
        "<BucketName>b</BucketName><RequestId>request-1</RequestId><HostId>request-1</HostId></Error>"
    )
    match, _ = sent("s3", "HEAD", "/b", {})
    assert load_service("s3").serialize_error(match, error, "request-1").body == b""


def test_xml_attributes_and_namespaces() -> None:
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": "i"}, "Permission": "READ"}
    body = text(answer("s3", "rest-xml", "GetBucketAcl", {"Grants": [grant]}))
    assert (
        '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>i</ID>'
        in body
    )
    inner = body[body.index("<AccessControlPolicy") :].replace("AccessControlPolicy", "X").encode()
    _, received = sent("s3", "PUT", "/b?acl", {}, inner)
    assert received["AccessControlPolicy"] == {"Grants": [grant]}


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\x18\x64", 100),
        (b"\x39\x01\xf3", -500),
        (b"\xc2\x49\x01" + bytes(8), 2**64),
        (b"\xf9\x3c\x00", 1.0),
        (b"\xfa\x47\xc3\x50\x00", 100000.0),
        (b"\x7f\x61a\x61b\xff", "ab"),
        (b"\x5f\x41\x01\x41\x02\xff", b"\x01\x02"),
        (b"\x9f\x01\x82\x02\x03\xff", [1, [2, 3]]),
        (b"\xbf\x61a\xf6\xff", {"a": None}),
        (b"\xc1\x1a\x51\x4b\x67\xb0", 1363896240),
        (b"\xf7", None),
    ],
)
def test_cbor_examples_of_the_rfc(data: bytes, value: object) -> None:
    assert cbor.decode(data) == value


@pytest.mark.parametrize(
    "data",
    [b"", b"\x18", b"\x1c", b"\x9b" + b"\xff" * 8, b"\xff", b"\x01\x01", b"\x61\xff", b"\x81" * 200 + b"\x01",
     b"\xa1\x80\x01", b"\x7f\x41a\xff", b"\xd8\x63\x01", b"\xf8\x20", b"\x82\x01\xff", b"\x5b" + b"\x7f" * 8],
)  # fmt: skip
def test_cbor_that_is_none(data: bytes) -> None:
    with pytest.raises(cbor.CborError):
        cbor.decode(data)


def test_streams_of_io_are_not_bodies() -> None:
    with pytest.raises(TypeError):
        cbor.encode(io.BytesIO())
