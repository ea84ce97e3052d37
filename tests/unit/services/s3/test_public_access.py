import json

import pytest

from lambent.model.bucket import Bucket
from lambent.model.policy import PolicyKind, parse_policy
from lambent.services.s3.public_access import effective_policy, is_public


def policy(principal, effect="Allow", **condition):
    statement = {
        "Effect": effect,
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/*",
    }
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


@pytest.mark.parametrize(
    "document",
    [
        policy("*"),
        policy({"AWS": "*"}),
        policy({"AWS": ["111122223333", "*"]}),
        policy("*", StringLike={"aws:SourceArn": "arn:*"}),
        policy("*", IpAddress={"aws:SourceIp": "0.0.0.0/0"}),
        policy("*", StringNotEquals={"aws:SourceAccount": "111122223333"}),
        policy("*", Bool={"aws:SecureTransport": "true"}),
    ],
)
def test_open_to_everybody(document):
    assert is_public(document)


@pytest.mark.parametrize(
    "document",
    [
        policy({"AWS": "arn:aws:iam::111122223333:root"}),
        policy({"Service": "cloudtrail.amazonaws.com"}),
        policy("*", effect="Deny"),
        policy("*", StringEquals={"aws:SourceAccount": "111122223333"}),
        policy("*", IpAddress={"aws:SourceIp": ["10.0.0.0/8"]}),
        policy("*", ArnLike={"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:t"}),
    ],
)
def test_not_public(document):
    assert not is_public(document)


def test_restricting_public_buckets_denies_strangers_and_nobody_else():
    bucket = Bucket(
        name="b",
        account_id="111122223333",
        region="us-east-1",
        created_at=1.0,
        policy=policy("*"),
        configurations={"PublicAccessBlockConfiguration": {"RestrictPublicBuckets": True}},
    )
    document = effective_policy(bucket)
    assert document is not None
    effects = [statement.effect for statement in parse_policy(document, PolicyKind.RESOURCE).statements]
    assert effects == ["Allow", "Deny"]
    open_bucket = Bucket(name="b", account_id="1", region="us-east-1", created_at=1.0, policy=bucket.policy)
    assert effective_policy(open_bucket) == bucket.policy
