"""Which operation a request is for."""

import pytest

from lambent.http.message import Request
from lambent.wire.service import load_service


def find(
    service: str, line: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> tuple[str, dict[str, str]]:
    method, target = line.split(" ", 1)
    path, _, query = target.partition("?")
    match = load_service(service).match(Request(method, target, path, query, headers or {}, body))
    return (match.operation, dict(match.labels)) if match is not None else ("none", {})


@pytest.mark.parametrize(
    ("line", "operation", "labels"),
    [
        ("POST /2015-03-31/functions/hello/invocations", "Invoke", {"FunctionName": "hello"}),
        ("POST /2015-03-31/functions/a%3Ab/invocations/", "Invoke", {"FunctionName": "a:b"}),
        ("POST /2015-03-31/functions", "CreateFunction", {}),
        ("POST /2015-03-31/functions/", "CreateFunction", {}),
        ("GET /2015-03-31/functions/", "ListFunctions", {}),
        ("GET /2015-03-31/functions/functions", "GetFunction", {"FunctionName": "functions"}),
        ("GET /2018-10-31/layers", "ListLayers", {}),
        ("GET /2018-10-31/layers?find=LayerVersion&Arn=x", "GetLayerVersionByArn", {}),
        ("GET /2017-03-31/tags/arn%3Aaws%3Alambda", "ListTags", {"Resource": "arn:aws:lambda"}),
        ("POST /2014-11-13/functions/f/invoke-async", "InvokeAsync", {"FunctionName": "f"}),
        ("PATCH /2015-03-31/functions", "none", {}),
        ("GET /2015-03-31/functions//configuration", "none", {}),
        ("GET /", "none", {}),
        ("GET *", "none", {}),
    ],
)
def test_lambda(line: str, operation: str, labels: dict[str, str]) -> None:
    assert find("lambda", line) == (operation, labels)


@pytest.mark.parametrize(
    ("line", "operation", "labels"),
    [
        ("GET /", "ListBuckets", {}),
        ("PUT /b", "CreateBucket", {"Bucket": "b"}),
        ("GET /b", "ListObjects", {"Bucket": "b"}),
        ("GET /b/", "ListObjects", {"Bucket": "b"}),
        ("GET /b?list-type=2&prefix=x", "ListObjectsV2", {"Bucket": "b"}),
        ("GET /b?location", "GetBucketLocation", {"Bucket": "b"}),
        ("GET /b/k", "GetObject", {"Bucket": "b", "Key": "k"}),
        ("GET /b/k?x-id=GetObject", "GetObject", {"Bucket": "b", "Key": "k"}),
        ("GET /b/k/l%20m//n/", "GetObject", {"Bucket": "b", "Key": "k/l m//n/"}),
        ("GET /b/k?uploadId=1", "ListParts", {"Bucket": "b", "Key": "k"}),
        ("GET /b/k?tagging", "GetObjectTagging", {"Bucket": "b", "Key": "k"}),
        ("PUT /b/k", "PutObject", {"Bucket": "b", "Key": "k"}),
        ("PUT /b/k?partNumber=1&uploadId=2", "UploadPart", {"Bucket": "b", "Key": "k"}),
        ("POST /b/k?uploads", "CreateMultipartUpload", {"Bucket": "b", "Key": "k"}),
        ("POST /b/k?uploadId=2", "CompleteMultipartUpload", {"Bucket": "b", "Key": "k"}),
        ("DELETE /b/k?uploadId=2", "AbortMultipartUpload", {"Bucket": "b", "Key": "k"}),
        ("DELETE /b/k", "DeleteObject", {"Bucket": "b", "Key": "k"}),
        ("POST /b?delete", "DeleteObjects", {"Bucket": "b"}),
        ("GET /b?notification", "GetBucketNotificationConfiguration", {"Bucket": "b"}),
        ("HEAD /b", "HeadBucket", {"Bucket": "b"}),
    ],
)
def test_s3_routes_by_query_parts_and_greedy_keys(line: str, operation: str, labels: dict[str, str]) -> None:
    assert find("s3", line) == (operation, labels)


def test_s3_routes_by_required_headers() -> None:
    copy = {"x-amz-copy-source": "b/other"}
    assert find("s3", "PUT /b/k", copy)[0] == "CopyObject"
    assert find("s3", "PUT /b/k?partNumber=1&uploadId=2", copy)[0] == "UploadPartCopy"


def test_greedy_label_in_the_middle() -> None:
    assert find("apigateway", "GET /restapis/r/stages/s/sdks/java")[0] == "GetSdk"
    assert find("lambda-microvms", "GET /nothing/of/ours")[0] == "none"


FORM = {"content-type": "application/x-www-form-urlencoded"}
CBOR_PATH = "/service/GraniteServiceVersion20100801/operation/ListMetrics"


def target(name: str) -> dict[str, str]:
    return {"x-amz-target": name}


@pytest.mark.parametrize(
    ("service", "line", "headers", "body", "operation", "protocol"),
    [
        ("logs", "POST /", target("Logs_20140328.DescribeLogGroups"), b"{}", "DescribeLogGroups", "json"),
        ("logs", "POST /", target("Logs_20140328.NoSuch"), b"{}", "none", ""),
        ("logs", "POST /", target("AmazonSQS.SendMessage"), b"{}", "none", ""),
        ("sqs", "POST /", target("AmazonSQS.SendMessage"), b"{}", "SendMessage", "json"),
        ("sqs", "POST /0/q", FORM, b"Action=SendMessage", "SendMessage", "query"),
        ("iam", "GET /?Action=ListRoles&Version=2010-05-08", {}, b"", "ListRoles", "query"),
        ("iam", "POST /?Action=NoSuch", {}, b"", "none", ""),
        ("iam", "POST /", FORM, b"", "none", ""),
        ("cloudwatch", f"POST {CBOR_PATH}", {}, b"\xa0", "ListMetrics", "smithy-rpc-v2-cbor"),
        ("cloudwatch", f"POST /prefix{CBOR_PATH}", {}, b"", "ListMetrics", "smithy-rpc-v2-cbor"),
        ("cloudwatch", f"POST {CBOR_PATH}s", {}, b"", "none", ""),
        (
            "cloudwatch",
            "POST /",
            target("GraniteServiceVersion20100801.ListMetrics"),
            b"",
            "ListMetrics",
            "json",
        ),
        ("cloudwatch", "POST /", FORM, b"Action=ListMetrics", "ListMetrics", "query"),
    ],
)
def test_rpc_protocols(
    service: str, line: str, headers: dict[str, str], body: bytes, operation: str, protocol: str
) -> None:
    method, url = line.split(" ", 1)
    path, _, query = url.partition("?")
    match = load_service(service).match(Request(method, url, path, query, headers, body))
    assert (match.operation if match else "none", match.protocol if match else "") == (operation, protocol)


@pytest.mark.parametrize(
    ("service", "headers", "query", "protocol"),
    [
        ("cloudwatch", {"smithy-protocol": "rpc-v2-cbor"}, "", "smithy-rpc-v2-cbor"),
        ("cloudwatch", {"x-amz-target": "GraniteServiceVersion20100801.NoSuch"}, "", "json"),
        ("cloudwatch", {"content-type": "application/x-www-form-urlencoded"}, "", "query"),
        ("iam", {}, "", "query"),
        ("sqs", {}, "Action=NoSuch", "query"),
        ("sqs", {}, "", "json"),
        ("lambda", {"x-amz-target": "x"}, "", "rest-json"),
    ],
)
def test_protocol_of_a_request_that_matches_nothing(
    service: str, headers: dict[str, str], query: str, protocol: str
) -> None:
    assert load_service(service).protocol_of(Request("POST", "/", "/", query, headers, b"")) == protocol


TAGS = "/2017-03-31/tags/{Resource}"
"""The one path that two services named lambda have: only the ARN in it tells whose it is."""


def test_services_that_share_a_signing_name_are_told_apart_by_their_paths() -> None:
    names = ["lambda", "lambda-core", "lambda-microvms", "lambda-web"]
    assert {load_service(name).signing_name for name in names} == {"lambda"}
    for name in names:
        model = load_service(name).model
        for http in (model.operation_model(operation).http for operation in model.operation_names):
            path = http["requestUri"].replace("{", "").replace("}", "")
            owners = [other for other in names if find(other, f"{http['method']} {path}")[0] != "none"]
            assert owners == (["lambda", "lambda-microvms"] if http["requestUri"] == TAGS else [name])
