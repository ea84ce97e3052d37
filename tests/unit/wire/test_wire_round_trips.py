"""botocore talks to us for every operation: what it writes we read, what we write it reads.

Two examples per operation by default; --hypothesis-profile=thorough for more.
"""

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from botocore.loaders import Loader
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambent.http.message import Request, Response
from lambent.model.error import ServiceException
from lambent.wire.service import WireService, load_service

EXAMPLES = max(2, settings.default.max_examples // 50)
SETTINGS = settings(
    max_examples=EXAMPLES,
    derandomize=EXAMPLES == 2,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
SERVICES = ["lambda", "logs", "iam", "sts", "sqs", "s3", "cloudwatch"]
BY_SHAPE_NAME = {"json", "rest-json", "smithy-rpc-v2-cbor"}
NOT_ROUND = {
    ("s3", "GetBucketLocation"): "botocore parses its body elsewhere: see test_rest_xml.py",
    ("s3", "GetBucketNotification"): "deprecated: two members share the element Event",
    ("s3", "PutBucketNotification"): "deprecated: two members share the element Event",
    ("s3", "WriteGetObjectResponse"): "answers an object lambda: the host names the route",
}


OF_THE_BODY = ("ContentMD5", "ChecksumCRC32", "ChecksumSHA1", "ChecksumSHA256")
"""Held to the body before it is read: see test_wire_body_integrity.py."""


def operations() -> list[Any]:
    return [
        pytest.param(service, protocol, name, id=f"{service}-{protocol}-{name}")
        for service in SERVICES
        for protocol in load_service(service).protocols
        for name in load_service(service).model.operation_names
        if (service, name) not in NOT_ROUND
    ]


def wire_request(service: WireService, protocol: str, name: str, parameters: dict[str, Any]) -> Request:
    """What an SDK sends: botocore's serializer and its way to prepare a request."""
    serializer = create_serializer(protocol, include_validation=True)
    request = serializer.serialize_to_request(parameters, service.models[protocol].operation_model(name))
    prepare_request_dict(request, endpoint_url="http://127.0.0.1:9000", context={})
    prepared = create_request_object(request).prepare()
    parts = urlsplit(prepared.url)
    headers = {
        key.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for key, value in prepared.headers.items()
    }
    body = prepared.body or b""
    return Request(
        method=prepared.method,
        target=prepared.url,
        path=parts.path,
        query=parts.query,
        headers=headers,
        body=body.encode() if isinstance(body, str) else bytes(body),
    )


def wire_answer(
    service: WireService, protocol: str, response: Response, shape: Any, streaming: bool = False
) -> Any:
    """What an SDK makes of a response."""
    assert isinstance(response.body, bytes)
    raw = {
        "status_code": response.status,
        "headers": HeadersDict(response.headers),
        "body": io.BytesIO(response.body) if streaming else response.body,
        "context": {},
    }
    return create_parser(protocol).parse(raw, shape)


@pytest.mark.parametrize(("service_name", "protocol", "name"), operations())
def test_what_botocore_sends_is_what_the_operation_gets(
    service_name: str, protocol: str, name: str, allowed_values: Callable[..., st.SearchStrategy[Any]]
) -> None:
    service = load_service(service_name)
    operation = service.models[protocol].operation_model(name)
    shape = operation.input_shape

    @SETTINGS
    @given(parameters=st.just({}) if shape is None else allowed_values(shape))
    def check(parameters: dict[str, Any]) -> None:
        if "requestAlgorithmMember" in operation.http_checksum:
            parameters = {key: value for key, value in parameters.items() if key not in OF_THE_BODY}
        request = wire_request(service, protocol, name, parameters)
        request.headers["x-amz-trailer"] = "what the body was hashed with"
        match = service.match(request)
        assert match is not None
        assert match.protocol == protocol
        if match.operation != name:  # S3 has deprecated operations on the same path
            assert service.model.operation_model(match.operation).http == operation.http
            return
        received = service.parse(match, request)
        for token in operation.idempotent_members:
            if token not in parameters:
                assert received.pop(token)
        for implied in _implied(shape, parameters):
            received.pop(implied, None)
        assert received == parameters

    check()


@pytest.mark.parametrize(("service_name", "protocol", "name"), operations())
def test_what_the_operation_answers_is_what_botocore_reads(
    service_name: str, protocol: str, name: str, allowed_values: Callable[..., st.SearchStrategy[Any]]
) -> None:
    service = load_service(service_name)
    operation = service.models[protocol].operation_model(name)
    shape = operation.output_shape
    if operation.has_event_stream_output:
        pytest.skip("see test_event_stream.py")
    compiled = service._compile(protocol, name)
    payload = shape.serialization.get("payload") if shape is not None else None
    raw = payload is not None and shape.members[payload].type_name == "blob"

    @SETTINGS
    @given(output=st.just({}) if shape is None else allowed_values(shape))
    def check(output: dict[str, Any]) -> None:
        response = compiled.serialize(output, "request-1")
        assert (
            "x-amz-request-id" if service_name == "s3" else "x-amzn-RequestId",
            "request-1",
        ) in response.headers
        parsed = wire_answer(service, protocol, response, shape, streaming=raw)
        if shape is not None or protocol != "smithy-rpc-v2-cbor":
            assert parsed["ResponseMetadata"]["RequestId"] == "request-1"
        parsed.pop("ResponseMetadata")
        for implied in {"ContentType", "StatusCode"} - output.keys():
            parsed.pop(implied, None)  # every response has them
        if raw:
            parsed[payload] = parsed[payload].read() or None
        assert {key: value for key, value in parsed.items() if value not in (None, {}, "")} == {
            key: value for key, value in output.items() if value not in ({}, "")
        }

    check()


def _implied(shape: Any, parameters: dict[str, Any]) -> set[str]:
    """What HTTP says unasked: the length of the body, and a payload of {} for none."""
    if shape is None:
        return set()
    return {"ContentLength", shape.serialization.get("payload", "")} - parameters.keys()


def errors() -> list[Any]:
    return [
        pytest.param(service, protocol, shape.name, id=f"{service}-{protocol}-{shape.name}")
        for service in SERVICES
        for protocol in load_service(service).protocols
        for shape in load_service(service).model.error_shapes
    ]


@pytest.mark.parametrize(("service_name", "protocol", "name"), errors())
def test_errors_arrive_with_code_message_status_and_members(
    service_name: str, protocol: str, name: str, allowed_values: Callable[..., st.SearchStrategy[Any]]
) -> None:
    service = load_service(service_name)
    shape = service.models[protocol].shape_for(name)
    described = Loader().load_service_model(service_name, "service-2")
    kind = type(name, (ServiceException,), {})
    others = [member for member in shape.members if member.lower() != "message"]
    members = {member: allowed_values(shape.members[member]) for member in others}

    @SETTINGS
    @given(message=st.text("abc <&>é", min_size=1), members=st.fixed_dictionaries(members))
    def check(message: str, members: dict[str, Any]) -> None:
        response = service.serialize_error(protocol, kind(message, members=members), "request-1")
        modeled = shape.metadata.get("error", {})
        fault = described["shapes"][name].get("fault")  # which botocore's shapes do not have
        assert response.status == modeled.get("httpStatusCode", 500 if fault else 400)
        parsed = wire_answer(service, protocol, response, None)
        assert parsed["Error"]["Message"] == message
        code = parsed["Error"].get("QueryErrorCode", parsed["Error"]["Code"])
        assert code == (name if protocol in BY_SHAPE_NAME else modeled.get("code", name))
        assert parsed["ResponseMetadata"]["RequestId"] == "request-1"
        detail = wire_answer(service, protocol, response, shape)
        detail.pop("ResponseMetadata", None)
        assert {key: value for key, value in detail.items() if key in members} == members

    check()
