from lambent.model.bucket import Bucket
from lambent.model.caller import Caller
from lambent.services.s3.access_log_lines import LoggedRequest, line_of
from lambent.services.s3.errors import NoSuchKey
from lambent.services.s3.owners import canonical_id

ACCOUNT = "111122223333"


def line(**changes):
    caller = Caller(
        account_id=ACCOUNT,
        region="us-east-1",
        principal_arn=f"arn:aws:iam::{ACCOUNT}:root",
        user_id=ACCOUNT,
        access_key_id="AKIA",
        request_id="R1",
        source_ip="10.0.0.1",
        user_agent='say "hi"\n',
        headers={"authorization": "AWS4-…", "host": "localhost:9000"},
    )
    request = {
        "bucket": Bucket(name="shelf", account_id=ACCOUNT, region="us-east-1", created_at=0.0),
        "operation": "GetObject",
        "caller": caller,
        "parameters": {"Key": "a b"},
        "output": {"ContentLength": 7, "VersionId": "v1"},
        "refusal": None,
        "at": 1_700_000_000.0,
        "took_seconds": 0.0125,
    }
    return line_of(LoggedRequest(**(request | changes)))


def test_the_fields_of_a_line():
    assert line() == (
        f"{canonical_id(ACCOUNT)} shelf [14/Nov/2023:22:13:20 +0000] 10.0.0.1 arn:aws:iam::{ACCOUNT}:root R1 "
        'REST.GET.OBJECT a%20b "GET /shelf/a%20b HTTP/1.1" 200 - 7 7 12 12 "-" "say %22hi%22%0A" v1 R1 SigV4 - '
        "AuthHeader localhost:9000 - - -\n"
    )


def test_a_refusal_is_told_by_its_code():
    assert '"GET /shelf/a%20b HTTP/1.1" 404 NoSuchKey - - ' in line(refusal=NoSuchKey(Key="a b"), output={})


def test_what_is_put_is_not_what_is_sent():
    put = line(operation="PutObject", output={}, parameters={"Key": "k", "ContentLength": 5})
    assert 'REST.PUT.OBJECT k "PUT /shelf/k HTTP/1.1" 200 - - 5 ' in put


def test_a_bucket_has_no_key():
    assert 'REST.GET.BUCKET - "GET /shelf HTTP/1.1" 200 ' in line(operation="ListObjects", parameters={})
