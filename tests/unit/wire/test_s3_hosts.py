import pytest

from lambent.wire.s3_hosts import bucket_of_host, is_s3_host


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("my-bucket.s3.amazonaws.com", "my-bucket"),
        ("my.bucket.s3.eu-west-1.amazonaws.com:443", "my.bucket"),
        ("my-bucket.s3-eu-west-1.amazonaws.com", "my-bucket"),
        ("my-bucket.s3.dualstack.eu-west-1.amazonaws.com", "my-bucket"),
        ("my-bucket.localhost:9000", "my-bucket"),
        ("my-bucket.s3.localhost:9000", "my-bucket"),
        ("s3.amazonaws.com", None),
        ("s3.us-east-1.amazonaws.com", None),
        ("s3-eu-west-1.amazonaws.com", None),
        ("s3.localhost:9000", None),
        ("localhost:9000", None),
        ("127.0.0.1:9000", None),
        ("lambent.internal", None),
        ("sqs.us-east-1.amazonaws.com", None),
        ("", None),
    ],
)
def test_which_hosts_name_a_bucket(host, bucket):
    assert bucket_of_host(host) == bucket


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("shelf.s3.amazonaws.com", True),
        ("shelf.s3.localhost:4566", True),
        ("shelf.localhost", False),
        ("abc.lambda-url.us-east-1.localhost", False),
        ("s3.amazonaws.com", False),
    ],
)
def test_hosts_of_no_other_service(host, expected):
    assert is_s3_host(host) is expected
