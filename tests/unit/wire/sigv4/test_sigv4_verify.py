"""botocore signs, Lambent verifies; then something is changed, and Lambent refuses in AWS's words."""

import asyncio
import datetime
from unittest.mock import patch

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from lambent.base.clock import ManualClock
from lambent.http.message import Request
from lambent.model.credential import Credential
from lambent.wire.sigv4.errors import Fault, SignatureError
from lambent.wire.sigv4.verify import Verifier

NOW = 1_790_000_000.0
KEY = Credential(
    access_key_id="AKIAIOSFODNN7EXAMPLE",
    secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    account_id="123456789012",
    principal_arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
)
SESSION = Credential(
    access_key_id="ASIAIOSFODNN7EXAMPLE",
    secret_access_key="a session's secret",
    session_token="token/+==",
    expires_at=NOW + 60,
    account_id="123456789012",
    principal_arn="arn:aws:sts::123456789012:assumed-role/r/s",
    user_id="AROA:s",
)


class Keys:
    def find(self, access_key_id, session_token):
        return {one.access_key_id: one for one in (KEY, SESSION)}.get(access_key_id)


def sign(
    *,
    method="POST",
    url="http://127.0.0.1:4566/2015-03-31/functions/hello/invocations",
    body=b"{}",
    headers=None,
    params=None,
    auth=SigV4Auth,
    service="lambda",
    region="eu-west-1",
    credential=KEY,
    at=NOW,
    **options,
):
    """A Request as a server would read it, signed by botocore at `at`."""
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers or {}), params=params or {})
    keys = Credentials(credential.access_key_id, credential.secret_access_key, credential.session_token)
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    with patch("botocore.auth.get_current_datetime", return_value=moment):
        auth(keys, service, region, **options).add_auth(request)
    return as_received(request.prepare(), body)


def as_received(prepared, body):
    authority, _, rest = prepared.url.removeprefix("http://").partition("/")
    target = "/" + rest
    path, _, query = target.partition("?")
    received = {"host": authority}
    for name, value in prepared.headers.items():
        text = value if isinstance(value, str) else value.decode("latin-1")
        key = name.lower()
        received[key] = f"{received[key]},{text}" if key in received and key != "host" else text
    return Request(prepared.method, target, path, query, received, body or b"", "127.0.0.1")


def verify(request, at=NOW):
    return asyncio.run(Verifier(Keys(), ManualClock(at)).verify(request))


def refused(request, at=NOW):
    with pytest.raises(SignatureError) as caught:
        verify(request, at)
    return caught.value


def test_a_signed_request_says_who_where_and_for_which_service():
    verified = verify(sign())
    assert (verified.credential, verified.region, verified.service) == (KEY, "eu-west-1", "lambda")


@pytest.mark.parametrize(
    ("service", "auth"), [("lambda", SigV4Auth), ("s3", S3SigV4Auth), ("iam", SigV4Auth), ("logs", SigV4Auth)]
)
def test_every_kind_of_signer_is_verified(service, auth):
    assert verify(sign(service=service, auth=auth)).service == service


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)


@given(
    segments=st.lists(
        st.sampled_from(["a", "b.c", "arn%3Aaws", "%E2%82%AC", "..", ".", "", "~x", "a+b", "$LATEST"])
    )
)
def test_odd_paths(segments):
    verify(sign(url=f"http://h/{'/'.join(segments)}"))


@given(key=_TEXT)
def test_odd_object_keys(key):
    from botocore.utils import percent_encode

    verify(sign(url=f"http://h/bucket/{percent_encode(key, safe='/~')}", service="s3", auth=S3SigV4Auth))


_NAME = _TEXT.filter(lambda name: not name.startswith("X-Amz-"))


@given(params=st.dictionaries(_NAME, _TEXT, max_size=4), presigned=st.booleans())
def test_odd_queries(params, presigned):
    from botocore.utils import percent_encode_sequence

    url = f"http://h/x?{percent_encode_sequence(params)}" if params else "http://h/x"
    if presigned:
        verify(sign(method="GET", url=url, body=b"", auth=SigV4QueryAuth, expires=60))
    else:
        verify(sign(url=url))


_HEADER_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20).map(str.strip)


@given(
    values=st.dictionaries(st.sampled_from(["x-amz-a", "x-b", "content-type", "x-amz-meta-z"]), _HEADER_TEXT)
)
def test_odd_headers(values):
    verify(sign(headers=values))


def test_repeated_headers_and_inner_blanks():
    request = AWSRequest(method="GET", url="http://h/", data=b"")
    request.headers.add_header("x-amz-many", "one  two ")
    request.headers.add_header("x-amz-many", "three")
    moment = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    with patch("botocore.auth.get_current_datetime", return_value=moment):
        SigV4Auth(Credentials(KEY.access_key_id, KEY.secret_access_key), "lambda", "us-east-1").add_auth(
            request
        )
    received = as_received(request.prepare(), b"")
    received.headers["x-amz-many"] = "one  two,three"
    verify(received)


def test_the_date_header_may_say_when():
    request = sign(headers={"Date": "x"})
    assert "x-amz-date" not in request.headers
    verify(request)
    request.headers["date"] = "yesterday"
    assert refused(request).fault is Fault.INCOMPLETE


def test_a_session_needs_its_token():
    verify(sign(credential=SESSION))
    request = sign(credential=SESSION)
    request.headers["x-amz-security-token"] = "another"
    assert refused(request).fault is Fault.WRONG_TOKEN
    del request.headers["x-amz-security-token"]
    assert refused(request).fault is Fault.WRONG_TOKEN


def test_a_session_ends():
    error = refused(sign(credential=SESSION), at=NOW + 60)
    assert error.fault is Fault.EXPIRED_TOKEN
    assert error.for_family("rest-json").code == "ExpiredTokenException"
    assert error.for_family("rest-json").status == 403
    assert error.for_family("s3").message == "The provided token has expired."


@pytest.mark.parametrize(
    "change",
    [
        lambda r: setattr(r, "method", "PUT"),
        lambda r: setattr(r, "path", "/2015-03-31/functions/other/invocations"),
        lambda r: setattr(r, "query", "Qualifier=1"),
        lambda r: setattr(r, "body", b"{} "),
        lambda r: r.headers.update({"host": "elsewhere"}),
        lambda r: r.headers.update({"authorization": r.headers["authorization"][:-1] + "g"}),
        lambda r: r.headers.update({"authorization": r.headers["authorization"][:-1] + "\xe9"}),
        lambda r: r.headers.update(
            {"authorization": r.headers["authorization"].replace("eu-west-1", "eu-west-2")}
        ),
        lambda r: r.headers.update(
            {"authorization": r.headers["authorization"].replace("/lambda/", "/iam/")}
        ),
    ],
)
def test_what_is_signed_cannot_be_changed(change):
    request = sign()
    change(request)
    assert refused(request).fault is Fault.MISMATCH


def test_the_answer_to_a_wrong_signature_shows_what_should_have_been_signed():
    request = sign()
    request.path = "/other"
    error = refused(request)
    assert error.message.startswith(
        "The request signature we calculated does not match the signature you provided."
    )
    assert (
        "\n\nThe Canonical String for this request should have been\n'POST\n/other\n\nhost:" in error.message
    )
    assert "\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n" in error.message
    assert error.for_family("json").code == "InvalidSignatureException"
    assert error.for_family("query").code == "SignatureDoesNotMatch"
    assert error.for_family("s3").members["StringToSign"].startswith("AWS4-HMAC-SHA256\n")


@pytest.mark.parametrize(
    ("family", "code", "status"),
    [
        ("rest-json", "UnrecognizedClientException", 403),
        ("json", "UnrecognizedClientException", 400),
        ("query", "InvalidClientTokenId", 403),
        ("s3", "InvalidAccessKeyId", 403),
    ],
)
def test_an_unknown_key(family, code, status):
    request = sign()
    request.headers["authorization"] = request.headers["authorization"].replace("AKIA", "AKIB")
    error = refused(request).for_family(family)
    assert (error.code, error.status) == (code, status)


@pytest.mark.parametrize(
    ("family", "code", "status", "message"),
    [
        ("rest-json", "MissingAuthenticationTokenException", 403, "Missing Authentication Token"),
        ("json", "MissingAuthenticationTokenException", 400, "Missing Authentication Token"),
        ("query", "MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
        ("s3", "AccessDenied", 403, "Access Denied"),
    ],
)
def test_an_unsigned_request(family, code, status, message):
    error = refused(Request("GET", "/", "/", "", {"host": "h"}, b"")).for_family(family)
    assert (error.code, error.status, error.message) == (code, status, message)


def test_five_minutes_either_way():
    verify(sign(at=NOW - 300))
    verify(sign(at=NOW + 300))
    late = refused(sign(at=NOW - 301))
    assert late.fault is Fault.SKEWED
    assert late.message == (
        "Signature expired: 20260921T140819Z is now earlier than 20260921T140820Z (20260921T141320Z - 5 min.)"
    )
    early = refused(sign(at=NOW + 301))
    assert early.message == (
        "Signature not yet current: 20260921T141821Z is still later than 20260921T141820Z"
        " (20260921T141320Z + 5 min.)"
    )


@pytest.mark.parametrize(("service", "auth"), [("s3", S3SigV4Auth), ("sts", SigV4Auth)])
def test_fifteen_minutes_for_s3_and_sts(service, auth):
    verify(sign(service=service, auth=auth, at=NOW - 900))
    assert refused(sign(service=service, auth=auth, at=NOW - 901)).fault is Fault.SKEWED


@pytest.mark.parametrize(("service", "auth"), [("s3", S3SigV4QueryAuth), ("lambda", SigV4QueryAuth)])
def test_a_presigned_url_lives_as_long_as_it_says(service, auth):
    request = sign(method="GET", url="http://h/a?b=c", body=b"", auth=auth, service=service, expires=3600)
    verify(request, at=NOW + 3600)
    assert refused(request, at=NOW + 3601).fault is Fault.PRESIGNED_EXPIRED


def test_a_presigned_put_covers_no_body():
    request = sign(
        method="PUT", url="http://h/b/k", body=b"", auth=S3SigV4QueryAuth, service="s3", expires=60
    )
    request.body = b"anything"
    verify(request)


def test_a_presigned_session():
    verify(sign(method="GET", url="http://h/", body=b"", auth=SigV4QueryAuth, credential=SESSION, expires=60))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("X-Amz-Expires=60", "X-Amz-Expires=604801", Fault.QUERY_MALFORMED),
        ("X-Amz-Expires=60", "X-Amz-Expires=0", Fault.QUERY_MALFORMED),
        ("X-Amz-Expires=60", "X-Amz-Expires=x", Fault.QUERY_MALFORMED),
        ("X-Amz-Expires=60", "X-Amz-Expires=60&X-Amz-Expires=99", Fault.QUERY_MALFORMED),
        ("X-Amz-SignedHeaders=host", "", Fault.QUERY_INCOMPLETE),
        ("%2Feu-west-1", "", Fault.QUERY_MALFORMED),
        ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=host%3B%E2%82%AC", Fault.QUERY_MALFORMED),
        ("X-Amz-Signature=", "X-Amz-Signature=%E2%82%AC", Fault.QUERY_MALFORMED),
        ("X-Amz-Signature=", "X-Amz-Security-Token=%E2%82%AC&X-Amz-Signature=", Fault.QUERY_MALFORMED),
    ],
)
def test_a_malformed_presigned_url(old, new, fault):
    request = sign(method="GET", url="http://h/", body=b"", auth=SigV4QueryAuth, expires=60)
    assert old in request.query
    request.query = request.query.replace(old, new)
    assert refused(request).fault is fault


def test_host_and_every_amazon_header_must_be_signed():
    request = sign()
    request.headers["x-amz-invocation-type"] = "Event"
    error = refused(request)
    assert error.fault is Fault.UNSIGNED_HEADER
    assert error.members == {"HeadersNotSigned": "x-amz-invocation-type"}
    request.headers["x-amz-acl"] = "private"
    assert refused(request).members == {"HeadersNotSigned": "x-amz-acl, x-amz-invocation-type"}
    request = sign()
    request.headers["authorization"] = request.headers["authorization"].replace("=host;", "=")
    assert refused(request).fault is Fault.UNSIGNED_HEADER


@pytest.mark.parametrize(
    ("header", "fault", "words"),
    [
        ("", Fault.INCOMPLETE, "requires 'Credential' parameter."),
        ("Bearer x", Fault.INCOMPLETE, "Authorization=Bearer"),
        ("AWS4-HMAC-SHA256", Fault.INCOMPLETE, "not a valid key=value pair"),
        ("AWS4-HMAC-SHA256 Credential= AK/1/r/s/aws4_request", Fault.INCOMPLETE, "(missing equal-sign)"),
        ("AWS4-HMAC-SHA256 Credential=a", Fault.INCOMPLETE, "requires 'Signature' parameter."),
        (
            "AWS4-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=b",
            Fault.INCOMPLETE,
            "5 slash-delimited",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/20260101/us_east/lambda/aws4_request,SignedHeaders=host,Signature=b",
            Fault.SCOPE,
            "Credential should be scoped to a valid region, not 'us_east'. ",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/lambda/aws4,SignedHeaders=host,Signature=b",
            Fault.SCOPE,
            "valid terminator",
        ),
        ("AWS4-ECDSA-P256-SHA256 Credential=a", Fault.INCOMPLETE, "Signature Version 4A is not offered"),
    ],
)
def test_an_authorization_that_cannot_be_read(header, fault, words):
    headers = {"host": "h", "x-amz-date": "20260101T000000Z", "authorization": header}
    error = refused(Request("GET", "/", "/", "", headers, b""))
    assert error.fault is fault
    assert words in error.message


def test_the_scope_is_of_the_day():
    request = sign()
    request.headers["x-amz-date"] = "20250101T000000Z"
    assert "Date in Credential scope does not match" in refused(request).message


def test_a_large_body_is_hashed_beside_the_loop():
    body = b"x" * 100_000
    verify(sign(body=body))
    request = sign(body=body)
    request.body = body + b"y"
    assert refused(request).fault is Fault.MISMATCH


def test_the_hash_of_the_body_must_be_its_own():
    request = sign(service="s3", auth=S3SigV4Auth)
    request.body = b"another"
    assert refused(request).for_family("s3").code == "XAmzContentSHA256Mismatch"


def test_every_fault_has_a_code_in_every_family():
    for fault in Fault:
        for family in ("rest-json", "json", "query", "s3"):
            assert 400 <= SignatureError(fault, "m").for_family(family).status < 500
