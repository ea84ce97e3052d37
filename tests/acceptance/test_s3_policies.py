"""Who may do what with a bucket: roles, bucket policies with conditions, other accounts, and the ways around."""

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from lambent_server import REGION, Lambent


@pytest.fixture(scope="module")
def s3(lambent: Lambent) -> Any:
    return lambent.client("s3")


@pytest.fixture
def bucket(lambent: Lambent, s3: Any) -> str:
    name = lambent.new_name("shelf")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="in/k", Body=b"in")
    s3.put_object(Bucket=name, Key="secret/k", Body=b"secret")
    return name


def as_role(lambent: Lambent, *statements: dict[str, Any]) -> Any:
    """A client of S3 with a role's session."""
    name = lambent.new_name("role")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": lambent.account_id}, "Action": "sts:AssumeRole"}
        ],
    }
    role = lambent.make_role(name, trust)
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    lambent.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    keys = lambent.sts.assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    return boto3.client(
        "s3",
        endpoint_url=lambent.endpoint,
        region_name=REGION,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def allow(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def put_policy(s3: Any, bucket: str, *statements: dict[str, Any]) -> None:
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    )


def denied(call: Any, **parameters: Any) -> bool:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return bool(refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403)


def test_a_role_does_what_its_policy_says_and_nothing_around_it(lambent, s3, bucket):
    objects = f"arn:aws:s3:::{bucket}/in/*"
    role = as_role(lambent, allow(["s3:GetObject", "s3:PutObject"], objects))
    assert role.get_object(Bucket=bucket, Key="in/k")["Body"].read() == b"in"
    role.put_object(Bucket=bucket, Key="in/new", Body=b"x")
    assert denied(role.get_object, Bucket=bucket, Key="secret/k")
    assert denied(role.delete_object, Bucket=bucket, Key="in/k")
    assert denied(role.list_objects_v2, Bucket=bucket)
    assert denied(role.get_object, Bucket=bucket, Key="in/none")
    source = {"Bucket": bucket, "Key": "secret/k"}
    assert denied(role.copy_object, Bucket=bucket, Key="in/stolen", CopySource=source)
    upload = role.create_multipart_upload(Bucket=bucket, Key="in/m")["UploadId"]
    part = {"Bucket": bucket, "Key": "in/m", "UploadId": upload, "PartNumber": 1}
    assert denied(role.upload_part_copy, **part, CopySource=source)
    wanted = {"Objects": [{"Key": "in/k"}, {"Key": "secret/k"}]}
    errors = role.delete_objects(Bucket=bucket, Delete=wanted)["Errors"]
    assert [error["Code"] for error in errors] == ["AccessDenied"] * 2
    assert s3.get_object(Bucket=bucket, Key="in/k")["Body"].read() == b"in"


def test_versions_need_permissions_of_their_own(lambent, s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="in/k", Body=b"v")["VersionId"]
    role = as_role(lambent, allow(["s3:GetObject", "s3:DeleteObject"], f"arn:aws:s3:::{bucket}/*"))
    assert role.get_object(Bucket=bucket, Key="in/k")["Body"].read() == b"v"
    assert denied(role.get_object, Bucket=bucket, Key="in/k", VersionId=version)
    assert denied(role.delete_object, Bucket=bucket, Key="in/k", VersionId=version)
    role.delete_object(Bucket=bucket, Key="in/k")


def test_conditions_of_a_role(lambent, bucket):
    condition = {"StringLike": {"s3:prefix": ["in/*"]}}
    role = as_role(lambent, allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", Condition=condition))
    listed = role.list_objects_v2(Bucket=bucket, Prefix="in/")["Contents"]
    assert [one["Key"] for one in listed] == ["in/k"]
    assert denied(role.list_objects_v2, Bucket=bucket)
    assert denied(role.list_objects_v2, Bucket=bucket, Prefix="secret/")


def test_a_bucket_policy_lets_another_account_in(lambent, s3, bucket, new_server):
    objects = f"arn:aws:s3:::{bucket}/*"
    role = as_role(lambent, allow("logs:*", "*"))
    assert denied(role.get_object, Bucket=bucket, Key="in/k")
    arn = lambent.iam.list_roles()["Roles"][-1]["Arn"]
    put_policy(s3, bucket, allow("s3:GetObject", objects, Principal={"AWS": lambent.account_id}))
    assert denied(role.get_object, Bucket=bucket, Key="in/k")
    roles = [one["Arn"] for one in lambent.iam.list_roles()["Roles"]]
    put_policy(s3, bucket, allow("s3:GetObject", objects, Principal={"AWS": roles}))
    assert arn in roles
    assert role.get_object(Bucket=bucket, Key="in/k")["Body"].read() == b"in"


def test_a_denial_holds_for_the_owner_too_and_can_be_taken_back(s3, bucket):
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    put_policy(
        s3,
        bucket,
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
            "Condition": insecure,
        },
    )
    assert denied(s3.get_object, Bucket=bucket, Key="in/k")
    assert denied(s3.put_object, Bucket=bucket, Key="in/k", Body=b"x")
    assert denied(s3.list_objects_v2, Bucket=bucket)
    s3.delete_bucket_policy(Bucket=bucket)
    assert s3.get_object(Bucket=bucket, Key="in/k")["Body"].read() == b"in"


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("", "first byte must be '{'"),
        ("[]", "first byte must be '{'"),
        ("{}", "Missing required field Statement"),
        ({"Resource": "arn:aws:s3:::another/*"}, "Policy has invalid resource"),
        ({"Action": "sqs:SendMessage"}, "Policy has invalid action"),
    ],
)
def test_policies_that_are_none(s3, bucket, policy, message):
    if isinstance(policy, dict):
        statement = {
            **allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*", Principal={"Service": "x.amazonaws.com"}),
            **policy,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    with pytest.raises(ClientError, match=message):
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=bucket)


def test_access_control_lists_are_the_owner_s(s3, bucket):
    grants = s3.get_object_acl(Bucket=bucket, Key="in/k")["Grants"]
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL"]
    with pytest.raises(ClientError, match="AccessControlListNotSupported"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"", ACL="public-read")
    with pytest.raises(ClientError, match="AccessControlListNotSupported"):
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read")


def test_another_account_and_its_names(new_server):
    running = new_server("--dev")
    mine = running.client("s3", aws_access_key_id="111111111111")
    theirs = running.client("s3", aws_access_key_id="222222222222")
    mine.create_bucket(Bucket="shelf")
    mine.put_object(Bucket="shelf", Key="k", Body=b"mine")
    assert [one["Name"] for one in theirs.list_buckets()["Buckets"]] == []
    assert denied(theirs.get_object, Bucket="shelf", Key="k")
    assert denied(theirs.put_object, Bucket="shelf", Key="k", Body=b"x")
    assert denied(theirs.delete_bucket, Bucket="shelf")
    assert denied(mine.get_object, Bucket="shelf", Key="k", ExpectedBucketOwner="222222222222")
    with pytest.raises(ClientError, match="BucketAlreadyExists"):
        theirs.create_bucket(Bucket="shelf")
    theirs.create_bucket(Bucket="other")
    source = {"Bucket": "shelf", "Key": "k"}
    assert denied(theirs.copy_object, Bucket="other", Key="k", CopySource=source)
    put_policy(
        mine, "shelf", allow("s3:GetObject", "arn:aws:s3:::shelf/*", Principal={"AWS": "222222222222"})
    )
    assert theirs.get_object(Bucket="shelf", Key="k")["Body"].read() == b"mine"
    theirs.copy_object(Bucket="other", Key="k", CopySource=source)
    assert denied(theirs.delete_object, Bucket="shelf", Key="k")


def test_what_an_object_is_tagged_with_decides(lambent, s3, bucket):
    public = {"StringEquals": {"s3:ExistingObjectTag/visible": "yes"}}
    mine = as_role(lambent, allow("s3:GetObject*", f"arn:aws:s3:::{bucket}/*", Condition=public))
    named = {"Bucket": bucket, "Key": "in/k"}
    for tags, lets in (({}, False), ({"visible": "no"}, False), ({"visible": "yes"}, True)):
        tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
        s3.put_object_tagging(**named, Tagging={"TagSet": tag_set})
        if lets:
            assert mine.get_object(**named)["Body"].read() == b"in"
            assert mine.get_object_tagging(**named)["TagSet"] == tag_set
        else:
            with pytest.raises(ClientError, match="AccessDenied"):
                mine.get_object(**named)
    with pytest.raises(ClientError, match="AccessDenied"):
        mine.get_object(Bucket=bucket, Key="never")


def test_a_bucket_denies_by_the_tags_of_a_version(lambent, s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="v", Body=b"1", Tagging="secret=1")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="v", Body=b"2")["VersionId"]
    mine = as_role(lambent, allow("s3:*", "*"))
    put_policy(
        s3,
        bucket,
        {
            "Effect": "Deny",
            "Principal": {"AWS": lambent.account_id},
            "Action": ["s3:GetObject", "s3:GetObjectVersion"],
            "Resource": f"arn:aws:s3:::{bucket}/*",
            "Condition": {"StringLike": {"s3:ExistingObjectTag/secret": "*"}},
        },
    )
    assert mine.get_object(Bucket=bucket, Key="v", VersionId=second)["Body"].read() == b"2"
    assert mine.get_object(Bucket=bucket, Key="v")["Body"].read() == b"2"
    with pytest.raises(ClientError, match="explicit deny"):
        mine.get_object(Bucket=bucket, Key="v", VersionId=first)
    mine.put_object(Bucket=bucket, Key="v", Body=b"3", Tagging="secret=1")
    with pytest.raises(ClientError, match="explicit deny"):
        mine.get_object(Bucket=bucket, Key="v")
