"""Storage classes: what is archived must be restored, and whoever wants to know of it is told."""

import json
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually


@pytest.fixture(scope="module")
def s3(lambent: Lambent) -> Any:
    return lambent.client("s3", config=Config(parameter_validation=False))


@pytest.fixture
def bucket(lambent: Lambent, s3: Any) -> str:
    name = lambent.new_name("cold")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="k", Body=b"x", StorageClass="GLACIER")
    return name


def refusal(call: Any, **parameters: Any) -> dict[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return dict(refused.value.response["Error"])


def test_what_is_archived_is_restored_first(s3, bucket):
    named = {"Bucket": bucket, "Key": "k"}
    assert refusal(s3.get_object, **named) == {
        "Code": "InvalidObjectState",
        "Message": "The operation is not valid for the object's storage class",
        "StorageClass": "GLACIER",
    }
    assert refusal(s3.copy_object, Bucket=bucket, Key="c", CopySource=named) == {
        "Code": "InvalidObjectState",
        "Message": "Operation is not valid for the source object's storage class",
        "StorageClass": "GLACIER",
    }
    head = s3.head_object(**named)
    assert head["StorageClass"] == "GLACIER"
    assert "Restore" not in head
    answer = s3.restore_object(**named, RestoreRequest={"Days": 1, "GlacierJobParameters": {"Tier": "Bulk"}})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert s3.head_object(**named)["Restore"].startswith('ongoing-request="false", expiry-date="')
    assert s3.get_object(**named)["Body"].read() == b"x"
    listed = s3.list_objects_v2(Bucket=bucket, OptionalObjectAttributes=["RestoreStatus"])["Contents"]
    assert listed[0]["RestoreStatus"]["IsRestoreInProgress"] is False
    s3.copy_object(**named, CopySource=named, StorageClass="STANDARD")
    head = s3.head_object(**named)
    assert "StorageClass" not in head
    assert "Restore" not in head


def test_restores_that_are_refused(s3, bucket):
    s3.put_object(Bucket=bucket, Key="at hand", Body=b"x")
    assert refusal(s3.restore_object, Bucket=bucket, Key="at hand", RestoreRequest={"Days": 1}) == {
        "Code": "InvalidObjectState",
        "Message": "Restore is not allowed for the object's current storage class",
        "StorageClass": "STANDARD",
    }
    assert refusal(s3.restore_object, Bucket=bucket, Key="k", RestoreRequest={})["Code"] == "MalformedXML"
    s3.put_object(Bucket=bucket, Key="deep", StorageClass="DEEP_ARCHIVE")
    hurried = {"Days": 1, "GlacierJobParameters": {"Tier": "Expedited"}}
    error = refusal(s3.restore_object, Bucket=bucket, Key="deep", RestoreRequest=hurried)
    assert error["Code"] == "InvalidArgument"
    assert (
        refusal(s3.put_object, Bucket=bucket, Key="x", StorageClass="COLD")["Code"] == "InvalidStorageClass"
    )


def test_restores_are_told(lambent, s3, bucket):
    sqs = lambent.client("sqs")
    queue = sqs.create_queue(QueueName=lambent.new_name("told"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    let = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": let})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    wanted = [{"QueueArn": arn, "Events": ["s3:ObjectRestore:*", "s3:ObjectAcl:Put"]}]
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": wanted}
    )
    s3.restore_object(Bucket=bucket, Key="k", RestoreRequest={"Days": 1})
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    s3.put_object_acl(
        Bucket=bucket, Key="k", GrantRead='uri="http://acs.amazonaws.com/groups/s3/LogDelivery"'
    )
    records: dict[str, Any] = {}

    def received() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ()):
            for record in json.loads(message["Body"]).get("Records", ()):
                records[record["eventName"]] = record
        return len(records) == 3

    eventually(received)
    restored = records["ObjectRestore:Completed"]["glacierEventData"]["restoreEventData"]
    assert restored["lifecycleRestoreStorageClass"] == "GLACIER"
    completed = records["ObjectRestore:Completed"]
    owner = completed["s3"]["bucket"]["ownerIdentity"]["principalId"]
    assert completed["userIdentity"]["principalId"] == f"AmazonCustomer:{owner}"
    assert "sequencer" in completed["s3"]["object"]
    assert "sequencer" not in records["ObjectAcl:Put"]["s3"]["object"]
    assert records["ObjectAcl:Put"]["eventVersion"] == "2.3"
    assert records["ObjectRestore:Post"]["s3"]["object"]["size"] == 1


def test_transitions_are_settings_of_lifecycle(s3, bucket):
    rule = {
        "ID": "r",
        "Status": "Enabled",
        "Filter": {},
        "Transitions": [{"Days": 0, "StorageClass": "GLACIER"}],
    }
    put = s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    assert put["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    found = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert found["Rules"] == [{**rule, "Filter": {}}]
    assert found["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
