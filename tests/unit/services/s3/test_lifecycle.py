from datetime import UTC, datetime

import pytest

from lambent.model.bucket import Bucket
from lambent.model.error import ServiceException
from lambent.model.stored_object import ObjectProperties, ObjectVersion
from lambent.services.s3.lifecycle import check_lifecycle, expiration_members
from lambent.services.s3.lifecycle_rules import applies


def rule(**members):
    return {
        "ID": "r",
        "Status": "Enabled",
        "Filter": {"Prefix": "logs/"},
        "Expiration": {"Days": 1},
        **members,
    }


def without(name, **members):
    return {key: value for key, value in rule(**members).items() if key != name}


def moving(*transitions):
    return without("Expiration", Transitions=list(transitions))


def test_a_rule_without_an_id_gets_one():
    (checked,) = check_lifecycle({"Rules": [without("ID")]})["Rules"]
    assert checked["ID"]
    assert checked["Expiration"] == {"Days": 1}


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([], "MalformedXML"),
        ([rule(), rule()], "InvalidArgument"),
        ([without("Filter")], "MalformedXML"),
        ([rule(Prefix="")], "MalformedXML"),
        ([rule(Filter={"Prefix": "a", "Tag": {"Key": "a", "Value": "b"}})], "MalformedXML"),
        ([without("Expiration")], "InvalidRequest"),
        ([rule(Expiration={})], "InvalidRequest"),
        ([{**without("Expiration"), "NoncurrentVersionExpiration": {}}], "MalformedXML"),
        ([rule(Expiration={"Days": 1, "ExpiredObjectDeleteMarker": True})], "MalformedXML"),
        ([rule(Expiration={"Days": 0})], "InvalidArgument"),
        ([rule(Expiration={"Date": datetime(2026, 1, 1, 5, tzinfo=UTC)})], "InvalidArgument"),
        ([rule(NoncurrentVersionExpiration={"NewerNoncurrentVersions": 2})], "MalformedXML"),
        ([rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 0})], "InvalidArgument"),
        ([rule(Transitions=[{"Days": 1, "StorageClass": "GLACIER"}])], "InvalidArgument"),
        ([rule(Transitions=[{"Days": 1, "Date": 0, "StorageClass": "GLACIER"}])], "MalformedXML"),
        ([moving({"Days": 29, "StorageClass": "STANDARD_IA"})], "InvalidArgument"),
        ([moving({"Days": -1, "StorageClass": "GLACIER"})], "InvalidArgument"),
        ([moving({"StorageClass": "GLACIER"})], "MalformedXML"),
        ([moving(*[{"Days": day, "StorageClass": "GLACIER"} for day in (1, 2)])], "InvalidRequest"),
        ([rule(Transitions=[{"Date": 86_400.0, "StorageClass": "GLACIER"}])], "InvalidRequest"),
        ([rule(NoncurrentVersionTransitions=[{"StorageClass": "GLACIER"}])], "MalformedXML"),
        ([rule(ID="x" * 256)], "InvalidArgument"),
    ],
)
def test_rules_that_are_refused(rules, code):
    with pytest.raises(ServiceException) as refused:
        check_lifecycle({"Rules": rules})
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({}, True),
        ({"Prefix": "logs/"}, True),
        ({"Prefix": "other/"}, False),
        ({"Tag": {"Key": "a", "Value": "1"}}, True),
        ({"Tag": {"Key": "a", "Value": "2"}}, False),
        ({"ObjectSizeGreaterThan": 9}, True),
        ({"ObjectSizeGreaterThan": 10}, False),
        ({"ObjectSizeLessThan": 10}, False),
        ({"And": {"Prefix": "logs/", "Tags": [{"Key": "a", "Value": "1"}], "ObjectSizeLessThan": 11}}, True),
        ({"And": {"Prefix": "logs/", "Tags": [{"Key": "b", "Value": "1"}]}}, False),
    ],
)
def test_which_objects_a_rule_is_of(filter, expected):
    version = ObjectVersion(
        bucket="b",
        key="logs/x",
        modified_at=1.0,
        size=10,
        properties=ObjectProperties(tags={"a": "1"}),
    )
    assert applies(rule(Filter=filter), version) is expected


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([], None),
        ([rule()], ("Sun, 04 Jan 1970", "r")),
        (
            [rule(Expiration={"Days": 9}), rule(ID="a rule", Expiration={"Days": 2})],
            ("Mon, 05 Jan 1970", "a%20rule"),
        ),
        ([rule(Expiration={"Date": 86_400.0})], ("Fri, 02 Jan 1970", "r")),
        ([rule(Status="Disabled")], None),
        ([rule(Filter={"Prefix": "other/"})], None),
        ([rule(Expiration={"ExpiredObjectDeleteMarker": True})], None),
        ([without("Expiration", NoncurrentVersionExpiration={"NoncurrentDays": 1})], None),
    ],
)
def test_when_an_object_ends(rules, told):
    bucket = Bucket(
        name="b",
        account_id="1",
        region="us-east-1",
        created_at=1.0,
        configurations={"LifecycleConfiguration": {"Rules": rules}},
    )
    version = ObjectVersion(
        bucket="b", key="logs/x", version_id="null", modified_at=1.5 * 86_400, size=1, etag="e"
    )
    expected = {}
    if told is not None:
        expected = {"Expiration": f'expiry-date="{told[0]} 00:00:00 GMT", rule-id="{told[1]}"'}
    assert expiration_members(bucket, version) == expected
