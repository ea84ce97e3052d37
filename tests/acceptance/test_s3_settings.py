"""Settings of buckets: kept and answered as AWS does, and refused in its words."""

from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from lambent_server import REGION, Lambent

REPORTS = {"S3BucketDestination": {"Bucket": "arn:aws:s3:::reports", "Format": "CSV"}}
IDENTIFIED = {
    "analytics": {
        "Id": "one",
        "StorageClassAnalysis": {"DataExport": {"OutputSchemaVersion": "V_1", "Destination": REPORTS}},
    },
    "intelligent_tiering": {
        "Id": "one",
        "Status": "Enabled",
        "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}],
    },
    "inventory": {
        "Id": "one",
        "Destination": REPORTS,
        "IsEnabled": True,
        "IncludedObjectVersions": "All",
        "Schedule": {"Frequency": "Daily"},
    },
    "metrics": {"Id": "one"},
}


@pytest.fixture(scope="module")
def s3(lambent: Lambent) -> Any:
    return lambent.client("s3", config=Config(parameter_validation=False))


@pytest.fixture
def bucket(lambent: Lambent, s3: Any) -> str:
    name = lambent.new_name("set")
    s3.create_bucket(Bucket=name)
    return name


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize("kind", IDENTIFIED)
def test_configurations_by_id(s3, bucket, kind):
    def call(verb: str, plural: str = "", **more: Any) -> Any:
        return getattr(s3, f"{verb}_bucket_{kind}_configuration{plural}")(Bucket=bucket, **more)

    member = kind.title().replace("_", "") + "Configuration"
    put = call("put", Id="one", **{member: IDENTIFIED[kind]})
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert call("get", Id="one")[member] == IDENTIFIED[kind]
    assert call("list", "s")[f"{member}List"] == [IDENTIFIED[kind]]
    with pytest.raises(ClientError, match="IdMismatch" if kind == "inventory" else "MalformedXML"):
        call("put", Id="other", **{member: IDENTIFIED[kind]})
    call("delete", Id="one")
    for verb in ("get", "delete"):
        with pytest.raises(
            ClientError, match=r"NoSuchConfiguration.*The specified configuration does not exist\."
        ):
            call(verb, Id="one")
    assert f"{member}List" not in call("list", "s")


def test_inventories_go_to_a_bucket(s3, bucket):
    nowhere = {
        **IDENTIFIED["inventory"],
        "Destination": {"S3BucketDestination": {"Bucket": "b", "Format": "CSV"}},
    }
    with pytest.raises(ClientError, match=r"InvalidS3DestinationBucket.*Invalid bucket ARN\."):
        s3.put_bucket_inventory_configuration(Bucket=bucket, Id="one", InventoryConfiguration=nowhere)


def test_acceleration(lambent, s3, bucket):
    def put(bucket: str, **configuration: str) -> Any:
        return s3.put_bucket_accelerate_configuration(Bucket=bucket, AccelerateConfiguration=configuration)

    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    put(bucket, Status="Suspended")
    assert s3.get_bucket_accelerate_configuration(Bucket=bucket)["Status"] == "Suspended"
    assert refusal(put, bucket=bucket, Status="enabled") == "MalformedXML"
    dotted = lambent.new_name("with.dots")
    s3.create_bucket(Bucket=dotted)
    assert refusal(put, bucket=dotted, Status="Enabled") == "InvalidRequest"


def test_who_reads_at_the_requesters_cost_says_so(lambent, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "Requester"})
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "Requester"
    everyone = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",'
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=f'{everyone} "Resource": "arn:aws:s3:::{bucket}/*"}}}}')
    stranger = boto3.client(
        "s3",
        endpoint_url=lambent.endpoint,
        region_name=REGION,
        config=Config(signature_version=UNSIGNED),
    )
    assert refusal(stranger.get_object, Bucket=bucket, Key="k") == "AccessDenied"
    assert stranger.get_object(Bucket=bucket, Key="k", RequestPayer="requester")["Body"].read() == b"x"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
