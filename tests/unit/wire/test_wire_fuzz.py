"""Whatever is sent: the operation gets what its model allows, or the caller an error of the service."""

import gzip
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambent.http.message import Request
from lambent.model.error import ServiceException
from lambent.wire import cbor
from lambent.wire.exceptions import SerializationException
from lambent.wire.service import WireService, load_service

SERVICES = ["lambda", "logs", "iam", "sts", "sqs", "s3", "cloudwatch", "dynamodb", "apigatewayv2"]
SETTINGS = settings(
    max_examples=max(100, settings.default.max_examples),
    derandomize=settings.default.max_examples <= 100,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TEXT = st.text(max_size=20)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def attempt(service: WireService, request: Request) -> None:
    try:
        match = service.match(request)
        if match is not None:
            service.parse(match, request)
    except ServiceException as error:
        protocol = service.protocol_of(request)
        assert service.serialize_error(protocol, error, "request-1").status == 400


def request(method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Request:
    return Request(method=method, target=path, path=path, query=query, headers=headers, body=body)


@pytest.mark.parametrize("name", SERVICES)
def test_any_request_line_and_body(name: str) -> None:
    service = load_service(name)
    paths = [
        uri.partition("?")
        for uri in {service.model.operation_model(o).http["requestUri"] for o in OPERATIONS[name]}
    ]

    @SETTINGS
    @given(data=st.data(), body=st.binary(max_size=60) | TREES.map(orjson_or_bytes))
    def check(data: st.DataObject, body: bytes) -> None:
        path, _, fixed = data.draw(st.sampled_from(paths))
        path = (
            path.replace("{", "")
            .replace("}", "")
            .replace("+", data.draw(st.sampled_from(["", "/%zz", "//", "%FF"])))
        )
        query = data.draw(
            st.sampled_from([fixed, "", "a=%ZZ&&=", "max-items=x&uploadId&partNumber=-"]) | TEXT
        )
        headers = data.draw(
            st.dictionaries(st.sampled_from(HEADERS), st.text('aZ09%=+",\\ é', max_size=12), max_size=4)
        )
        method = data.draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "BREW"]))
        attempt(service, request(method, path, query, headers, body))

    check()


def orjson_or_bytes(tree: object) -> bytes:
    try:
        return orjson.dumps(tree)
    except TypeError:
        return b"{"


OPERATIONS = {name: load_service(name).model.operation_names for name in SERVICES}
HEADERS = [
    "content-type",
    "content-encoding",
    "if-modified-since",
    "x-amz-client-context",
    "x-amz-invocation-type",
    "x-amz-copy-source-if-modified-since",
    "x-amz-object-attributes",
    "content-length",
    "x-amz-object-lock-retain-until-date",
]


@pytest.mark.parametrize("name", ["logs", "sqs", "cloudwatch", "dynamodb"])
def test_any_json_or_cbor_for_any_operation(name: str) -> None:
    service = load_service(name)
    prefix = service.model.metadata["targetPrefix"]
    shapes = [service.model.operation_model(operation).input_shape for operation in OPERATIONS[name]]
    members = sorted({member for shape in shapes if shape is not None for member in shape.members})

    @SETTINGS
    @given(
        operation=st.sampled_from(OPERATIONS[name]),
        tree=st.dictionaries(st.sampled_from(members), TREES, max_size=4) | TREES,
        noise=st.binary(max_size=3),
        end=st.integers(0, 400),
    )
    def check(operation: str, tree: object, noise: bytes, end: int) -> None:
        target = {"x-amz-target": f"{prefix}.{operation}"}
        attempt(service, request("POST", "/", "", target, (orjson_or_bytes(tree) + noise)[:end]))
        path = f"/service/{prefix}/operation/{operation}"
        body = (cbor.encode(tree) + noise)[:end]
        attempt(service, request("POST", path, "", {"content-type": "application/cbor"}, body))

    check()


@pytest.mark.parametrize("name", ["iam", "sts", "cloudwatch", "sqs"])
def test_any_form_for_any_operation(name: str) -> None:
    service = load_service(name)
    parts = [
        "Tags",
        "member",
        "1",
        "2",
        "²",
        "Key",
        "Value",
        "",
        "entry",
        "MetricData",
        "Attribute",
        "DurationSeconds",
    ]

    @SETTINGS
    @given(
        operation=st.sampled_from(OPERATIONS[name]),
        form=st.dictionaries(st.lists(st.sampled_from(parts), max_size=6).map(".".join), TEXT, max_size=6),
    )
    def check(operation: str, form: dict[str, str]) -> None:
        body = urlencode({"Action": operation, **form}).encode("utf-8", "replace")
        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        attempt(service, request("POST", "/", "", headers, body))

    check()


@pytest.mark.parametrize(
    "body",
    [
        b"<Delete>" + b"<Object>" * 5000,
        b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><Delete><Object><Key>&c;</Key></Object></Delete>',
        b"<Delete><Object><Key>a</Key><Size>many</Size></Object></Delete>",
        b"\xff\xfe",
        b'<?xml version="1.0" encoding="no-such"?><Delete/>',
    ],
    ids=["unclosed", "entities", "wrong type", "not text", "unknown encoding"],
)
def test_malformed_xml_is_refused(body: bytes) -> None:
    service = load_service("s3")
    wanted = request("POST", "/bucket", "delete", {"x-amz-checksum-crc64nvme": "vouched for"}, body)
    match = service.match(wanted)
    assert match is not None
    assert match.operation == "DeleteObjects"
    with pytest.raises(ServiceException) as caught:
        service.parse(match, wanted)
    assert caught.value.code in ("MalformedXML", "SerializationException")


def test_deep_nesting_is_refused() -> None:
    service = load_service("dynamodb")
    value = b'{"L":[' * 400 + b'{"S":"x"}' + b"]}" * 400
    body = b'{"TableName":"table","Item":{"a":' + value + b"}}"
    wanted = request("POST", "/", "", {"x-amz-target": "DynamoDB_20120810.PutItem"}, body)
    match = service.match(wanted)
    assert match is not None
    with pytest.raises(SerializationException):
        service.parse(match, wanted)


def test_compressed_bodies_are_read_and_bombs_refused() -> None:
    service = load_service("cloudwatch")
    headers = {"content-type": "application/x-www-form-urlencoded", "content-encoding": "gzip"}
    form = b"Action=DeleteAlarms&AlarmNames.member.1=a"
    for coding in ("gzip", "GZIP"):
        wanted = request("POST", "/", "", headers | {"content-encoding": coding}, gzip.compress(form))
        match = service.match(wanted)
        assert match is not None
        assert service.parse(match, wanted) == {"AlarmNames": ["a"]}
    for body in (b"no gzip", gzip.compress(bytes(65 * 1024 * 1024), 9)):
        with pytest.raises(SerializationException):
            service.match(request("POST", "/", "", headers, body))
