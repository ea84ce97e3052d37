"""Requests that are wrong, and packages that mean harm: AWS's error for each, and the server goes on."""

import io
import json
import socket
import struct
import urllib.error
import urllib.request
import zipfile
import zlib

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from hostile import Bystander
from lambent_server import PYTHON, REGION, Lambent, zip_of

HANDLER = {"index.py": "def handler(event, context): return 'ran'\n"}


@pytest.fixture(autouse=True)
def undisturbed(bystander: Bystander) -> None:
    bystander.check()


def send(
    lambent: Lambent,
    method: str,
    path: str,
    *,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    service: str = "lambda",
    signed: bool = True,
    secret: str | None = None,
    access_key_id: str | None = None,
) -> tuple[int, str, dict[str, str]]:
    """Status, error type and body of one request."""
    request = AWSRequest(method, lambent.endpoint + path, data=body, headers=headers or {})
    if signed:
        credentials = Credentials(
            access_key_id or lambent.server.access_key_id, secret or lambent.server.secret_access_key
        )
        SigV4Auth(credentials, service, REGION).add_auth(request)
    prepared = request.prepare()
    plain = urllib.request.Request(
        prepared.url, data=body or None, headers=dict(prepared.headers), method=method
    )
    try:
        with urllib.request.urlopen(plain, timeout=20) as answer:
            return answer.status, "", {"body": answer.read().decode()}
    except urllib.error.HTTPError as error:
        text = error.read().decode()
        error_type = error.headers.get("x-amzn-errortype", "")
        return error.code, error_type, json.loads(text) if text.startswith("{") else {"body": text}


def test_unsigned(lambent: Lambent) -> None:
    status, error_type, body = send(lambent, "GET", "/2015-03-31/functions/", signed=False)
    assert (status, error_type) == (403, "MissingAuthenticationTokenException")
    assert body["message"] == "Missing Authentication Token"


def test_a_wrong_signature(lambent: Lambent) -> None:
    status, error_type, body = send(lambent, "GET", "/2015-03-31/functions/", secret="wrong" * 8)
    assert (status, error_type) == (403, "InvalidSignatureException")
    assert body["message"].startswith(
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method."
    )


def test_an_unknown_key(lambent: Lambent) -> None:
    status, error_type, body = send(
        lambent, "GET", "/2015-03-31/functions/", access_key_id="AKIAIOSFODNN7EXAMPLE"
    )
    assert (status, error_type) == (403, "UnrecognizedClientException")
    assert body["message"] == "The security token included in the request is invalid."


@pytest.mark.parametrize(
    "header",
    [
        "",
        "AWS4-HMAC-SHA256",
        "Basic dTpw",
        "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=, Signature=",
        "\u00e9" * 50,
    ],
)
def test_malformed_signatures(lambent: Lambent, header: str) -> None:
    status, _, _ = send(
        lambent, "GET", "/2015-03-31/functions/", signed=False, headers={"Authorization": header}
    )
    assert status in (400, 403)


def test_a_service_that_is_not_offered_is_named(lambent: Lambent) -> None:
    with pytest.raises(ClientError) as refused:
        lambent.client("ec2").describe_instances()
    assert "ec2" in str(refused.value)


def test_an_operation_that_is_not_offered_is_named(lambent: Lambent) -> None:
    with pytest.raises(ClientError) as refused:
        lambent.client("logs").list_scheduled_queries()
    assert "ListScheduledQueries" in refused.value.response["Error"]["Message"]


def test_an_operation_that_does_not_exist(lambent: Lambent) -> None:
    status, error_type, _ = send(lambent, "GET", "/2015-03-31/nothing")
    assert (status, error_type) in [(404, "UnknownOperationException"), (404, "ResourceNotFoundException")]
    headers = {"X-Amz-Target": "Logs_20140328.Nothing", "Content-Type": "application/x-amz-json-1.1"}
    status, _, body = send(lambent, "POST", "/", body=b"{}", headers=headers, service="logs")
    assert status in (400, 404)
    assert body["__type"].endswith("UnknownOperationException")


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"MemorySize": 127}, "memorySize"),
        ({"MemorySize": 10241}, "memorySize"),
        ({"Timeout": 0}, "timeout"),
        ({"Timeout": 901}, "timeout"),
        ({"Runtime": "cobol85"}, "runtime"),
        ({"Handler": "h" * 129}, "handler"),
        ({"Handler": "has space"}, "handler"),
        ({"Role": "no-arn"}, "role"),
        ({"Description": "d" * 257}, "description"),
        ({"EphemeralStorage": {"Size": 511}}, "ephemeralStorage.size"),
    ],
)
def test_fields_out_of_range(lambent: Lambent, parameters: dict[str, object], where: str) -> None:
    settings = {"Runtime": PYTHON, "Handler": "index.handler", "Role": lambent.role} | parameters
    client = lambent.client("lambda", config=Config(parameter_validation=False))
    with pytest.raises(ClientError) as refused:
        client.create_function(FunctionName=lambent.new_name(), Code={"ZipFile": zip_of(HANDLER)}, **settings)
    assert refused.value.response["Error"]["Code"] in (
        "ValidationException",
        "InvalidParameterValueException",
    )
    message = refused.value.response["Error"]["Message"]
    assert f"at '{where}' failed to satisfy constraint" in message, message


@pytest.mark.parametrize("name", ["a b", "a/b", "é", "x" * 141, "..", "%00", "a:b:c:d"])
def test_names_that_are_none(lambent: Lambent, name: str) -> None:
    with pytest.raises(ClientError) as refused:
        lambent.deploy(HANDLER, FunctionName=name)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403, 404)


def test_bodies_that_are_no_json(lambent: Lambent) -> None:
    for body in (b"{", b"[]", b"\xff", b"null", b'{"FunctionName": 1}', b"{" * 100_000):
        status, error_type, _ = send(lambent, "POST", "/2015-03-31/functions", body=body)
        assert status == 400, body[:20]
        assert error_type


def test_half_sent_requests_hold_nobody_up(lambent: Lambent, bystander: Bystander) -> None:
    host, port = lambent.endpoint.removeprefix("http://").split(":")
    starts = [
        b"",
        b"POST /2015-03-31/functions HTTP/1.1\r\n",
        b"POST /2015-03-31/functions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nhalf",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 10_000,
    ]
    held = []
    for start in starts * 50:
        connection = socket.create_connection((host, int(port)))
        connection.sendall(start)
        held.append(connection)
    bystander.check()
    for connection in held:
        connection.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_http(lambent: Lambent, garbage: bytes) -> None:
    host, port = lambent.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def refusal(lambent: Lambent, packed: bytes) -> dict[str, str]:
    with pytest.raises(ClientError) as refused:
        lambent.deploy(packed)
    error: dict[str, str] = refused.value.response["Error"]
    assert error["Code"] == "InvalidParameterValueException"
    return error


@pytest.mark.parametrize("packed", [b"not a zip", b"PK\x03\x04" + b"\0" * 100, zip_of(HANDLER)[:-30]])
def test_packages_that_are_no_zip(lambent: Lambent, packed: bytes) -> None:
    message = refusal(lambent, packed)["Message"]
    assert message == "Could not unzip uploaded file. Please check your file, then try to upload again."


def test_an_empty_zip(lambent: Lambent) -> None:
    with pytest.raises(ClientError) as refused:
        lambent.deploy(b"")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert refusal(lambent, zip_of({}))


def bomb(declared: int | None = None) -> bytes:
    """260 MB of zeros in 260 KB; `declared` is the size that it lies about."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block, crc, pieces = bytes(1 << 20), 0, []
    for _ in range(260):
        crc = zlib.crc32(block, crc)
        pieces.append(packer.compress(block))
    pieces.append(packer.flush())
    packed = b"".join(pieces)
    size = declared if declared is not None else 260 << 20
    name = b"zeros"
    local = (
        struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0, crc, len(packed), size, len(name), 0) + name
    )
    central = struct.pack(
        "<IHHHHHHIIIHHHHHII",
        0x02014B50,
        20,
        20,
        0,
        8,
        0,
        0,
        crc,
        len(packed),
        size,
        len(name),
        0,
        0,
        0,
        0,
        0,
        0,
    )
    central += name
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(central), len(local) + len(packed), 0)
    return local + packed + central + end


def test_a_zip_bomb(lambent: Lambent, bystander: Bystander) -> None:
    with bystander.watching():
        assert refusal(lambent, bomb())["Message"] == "Unzipped size must be smaller than 262144000 bytes"


def test_a_zip_bomb_that_lies(lambent: Lambent, bystander: Bystander) -> None:
    with bystander.watching():
        found = settled(lambent, bomb(declared=100))
    assert found != "Active"


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "a/../../evil", "..\\evil", "a\0b"])
def test_a_path_out_of_the_package(lambent: Lambent, name: str) -> None:
    found = settled(lambent, zip_of({name: "evil", **HANDLER}))
    assert found in ("refused", "Failed", "Active")
    assert not list(lambent.data_dir.rglob("evil")) or found == "Active"
    assert not [path for path in lambent.data_dir.parent.glob("*") if path.name == "evil"]


def test_a_link_out_of_the_package(lambent: Lambent) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.create_system = 3
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/shadow")
        archive.writestr(
            "index.py", "import os\ndef handler(event, context): return os.path.exists('link')\n"
        )
    if settled(lambent, packed.getvalue(), name := lambent.new_name()) == "Active":
        assert lambent.call(name) is False


def settled(lambent: Lambent, packed: bytes, name: str | None = None) -> str:
    """What becomes of a function of this package: "refused", or its state."""
    name = name or lambent.new_name()
    try:
        lambent.lambda_.create_function(
            FunctionName=name,
            Runtime=PYTHON,
            Handler="index.handler",
            Role=lambent.role,
            Code={"ZipFile": packed},
        )
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        return "refused"
    while (state := lambent.lambda_.get_function_configuration(FunctionName=name)["State"]) == "Pending":
        pass
    return str(state)


def test_a_package_without_the_handler(lambent: Lambent) -> None:
    name = lambent.deploy({"other.py": ""})
    assert lambent.invoke(name).error_object["errorType"] == "Runtime.ImportModuleError"


def test_an_oversized_request(lambent: Lambent) -> None:
    with pytest.raises(ClientError) as refused:
        lambent.deploy(b"PK" + b"x" * (51 << 20))
    assert refused.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
