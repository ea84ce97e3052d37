import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.error import ServiceException
from lambent.services.s3.form_body import Form, read_form
from lambent.services.s3.form_policy import check_form

TYPE = "multipart/form-data; boundary=edge"
BODY = (
    b'--edge\r\nContent-Disposition: form-data; name="Key"\r\n\r\na/b\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="C:\\dir\\x.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nda\r\n--edg\r\nta\r\n--edge--\r\n"
)


def test_fields_and_the_file():
    form = read_form(TYPE, BODY)
    assert form == Form(fields={"key": "a/b"}, file=b"da\r\n--edg\r\nta", filename="x.txt")
    assert read_form('multipart/form-data; boundary="edge"', b"preamble\r\n" + BODY) == form


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("multipart/form-data", BODY, "MalformedPOSTRequest"),
        (TYPE, b"", "InvalidArgument"),
        (TYPE, BODY.replace(b"file", b"data"), "InvalidArgument"),
        (TYPE, BODY[:-20], "MalformedPOSTRequest"),
        (TYPE, BODY.replace(b"Content-Disposition", b"X"), "MalformedPOSTRequest"),
        (TYPE, BODY.replace(b"a/b", b"x" * 30_000), "MalformedPOSTRequest"),
    ],
)
def test_bodies_that_are_refused(content_type, body, code):
    with pytest.raises(ServiceException) as refused:
        read_form(content_type, body)
    assert refused.value.code == code


@given(st.binary(), st.integers(0, len(BODY)))
def test_no_body_breaks_it(noise, cut):
    for body in (noise, BODY[:cut] + noise, BODY[cut:]):
        try:
            read_form(TYPE, body)
        except ServiceException:
            continue


def policy(*conditions, expiration="2030-01-01T00:00:00Z"):
    return base64.b64encode(
        json.dumps({"expiration": expiration, "conditions": conditions}).encode()
    ).decode()


def form(text, data=b"data", **fields):
    return Form(fields={"policy": text, **fields}, file=data, filename="")


def test_what_a_policy_allows():
    text = policy({"bucket": "b"}, ["starts-with", "$key", "user/"], ["content-length-range", 1, 4])
    check_form(form(text, key="user/x"), "b", 0)


@pytest.mark.parametrize(
    ("text", "fields", "message"),
    [
        (policy({"bucket": "other"}), {}, "Policy Condition failed"),
        (policy(["starts-with", "$key", "user/"]), {"key": "x"}, "Policy Condition failed"),
        (policy(["eq", "$key", "x"]), {}, "Policy Condition failed"),
        (policy({"bucket": "b"}), {"key": "x"}, "Extra input fields: key"),
        (policy(expiration="1960-01-01T00:00:00Z"), {}, "Policy expired"),
        (policy(["content-length-range", 5, 9]), {}, "smaller than the minimum"),
        (policy(["content-length-range", 0, 3]), {}, "exceeds the maximum"),
        (policy(["matches", "$key", "x"]), {}, "Invalid condition operation"),
        (policy(["eq", "$key"]), {}, "Invalid conditions"),
        (policy(expiration="soon"), {}, "Invalid 'expiration' value"),
        ("nonsense", {}, "Invalid JSON"),
    ],
)
def test_what_a_policy_refuses(text, fields, message):
    with pytest.raises(ServiceException, match=message):
        check_form(form(text, **fields), "b", 0)


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner, max_size=3)))
def test_no_conditions_break_it(conditions):
    with pytest.raises(ServiceException):
        check_form(form(policy(conditions)), "b", 0)
