"""Where a bucket may be made, and how clients learn where one is."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent


@pytest.fixture(scope="module")
def s3(lambent: Lambent) -> Any:
    return lambent.client("s3")


@pytest.mark.parametrize("constraint", ["us-east-1", "eu-central-1", "us-nowhere-9"])
def test_an_endpoint_makes_buckets_of_its_region(lambent, constraint):
    west = lambent.client("s3", region="us-west-2")
    name = lambent.new_name("shelf")
    with pytest.raises(ClientError) as refused:
        west.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": constraint})
    assert refused.value.response["Error"] == {
        "Code": "IllegalLocationConstraintException",
        "Message": f"The {constraint} location constraint is incompatible for the region specific endpoint this"
        " request was sent to.",
    }


@pytest.mark.parametrize("constraint", ["us-east-1", "us-nowhere-9"])
def test_that_of_us_east_1_makes_them_in_regions_that_there_are(lambent, s3, constraint):
    name = lambent.new_name("shelf")
    with pytest.raises(ClientError) as refused:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": constraint})
    assert refused.value.response["Error"] == {
        "Code": "InvalidLocationConstraint",
        "Message": "The specified location-constraint is not valid",
        "LocationConstraint": constraint,
    }


def test_headers_say_where_a_bucket_is(lambent, s3):
    name = lambent.new_name("shelf")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for call in (s3.head_bucket, s3.list_objects, s3.list_objects_v2):
        headers = call(Bucket=name)["ResponseMetadata"]["HTTPHeaders"]
        assert (headers["x-amz-bucket-region"], headers["content-type"]) == ("eu-west-1", "application/xml")
