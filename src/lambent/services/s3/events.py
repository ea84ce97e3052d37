"""Events of a bucket: which of them somebody wants to know of, and what is told.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from lambent.base.arn import partition_of
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller
from lambent.model.stored_object import NULL_VERSION, Notice, ObjectVersion
from lambent.services.s3.owners import canonical_id

NOTIFICATION = "NotificationConfiguration"
DESTINATIONS = {
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
    "QueueConfigurations": "QueueArn",
    "TopicConfigurations": "TopicArn",
}
"""Kinds of configurations, and the member that says whom they tell."""

_DETAIL_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "LifecycleExpiration": "Object Deleted",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
    "ObjectAcl:Put": "Object ACL Updated",
    "ObjectRestore:Post": "Object Restore Initiated",
    "ObjectRestore:Completed": "Object Restore Completed",
    "LifecycleTransition": "Object Storage Class Changed",
}
_SIZED = ("ObjectCreated:", "ObjectRestore:", "LifecycleTransition")
_OF_PROPERTIES = ("ObjectTagging:", "ObjectAcl:")
_UNORDERED = (*_OF_PROPERTIES, "ObjectRestore:")
"""On a bus these have no sequencer; records have one of restored copies."""
_RESTORED = "ObjectRestore:Completed"
_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectRemoved:Delete": "DeleteObject",
    "ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
    "LifecycleExpiration:Delete": "Lifecycle Expiration",
    "LifecycleExpiration:DeleteMarkerCreated": "Lifecycle Expiration",
}


class Events:
    """`wake` is called where there is something to deliver."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def committed(self, notices: Sequence[Notice]) -> None:
        if notices:
            self._wake()

    def notices(self, bucket: Bucket, event: str, version: ObjectVersion, caller: Caller) -> list[Notice]:
        """To be stored with the change. `event` is without its s3: (ObjectCreated:Put)."""
        configuration = bucket.configurations.get(NOTIFICATION)
        if not configuration:
            return []
        told = [
            _notice(
                bucket,
                one[arn_member],
                json.dumps({"Records": [_record(bucket, event, version, caller, one["Id"])]}),
                caller,
            )
            for kind, arn_member in DESTINATIONS.items()
            for one in configuration.get(kind, ())
            if wants(one, event, version.key)
        ]
        if "EventBridgeConfiguration" in configuration:
            partition = partition_of(bucket.region)
            bus = f"arn:{partition}:events:{bucket.region}:{bucket.account_id}:event-bus/default"
            told.append(_notice(bucket, bus, json.dumps(_entry(bucket, event, version, caller)), caller))
        return told


def wants(configuration: Mapping[str, Any], event: str, key: str) -> bool:
    """Whether a configuration's events and filter have this one."""
    if not any(_is_of(pattern.removeprefix("s3:"), event) for pattern in configuration["Events"]):
        return False
    rules = ((configuration.get("Filter") or {}).get("Key") or {}).get("FilterRules", ())
    return all(
        key.startswith(rule["Value"]) if rule["Name"].lower() == "prefix" else key.endswith(rule["Value"])
        for rule in rules
    )


def _is_of(pattern: str, event: str) -> bool:
    if pattern.endswith(":*"):
        return event.startswith(pattern[:-1])
    return pattern == event


def _notice(bucket: Bucket, destination: str, body: str, caller: Caller) -> Notice:
    return Notice(
        account_id=bucket.account_id,
        region=bucket.region,
        bucket_arn=bucket.arn(partition_of(bucket.region)),
        destination=destination,
        body=body,
        trace_header=caller.headers.get("x-amzn-trace-id"),
    )


def _record(
    bucket: Bucket, event: str, version: ObjectVersion, caller: Caller, configuration_id: str
) -> dict[str, Any]:
    """One record of the format 2.1; what is said of properties came with 2.3."""
    owner = canonical_id(bucket.account_id)[:14].upper()
    return {
        "eventVersion": "2.3" if event.startswith((*_OF_PROPERTIES, "Lifecycle")) else "2.1",
        "eventSource": "aws:s3",
        "awsRegion": bucket.region,
        "eventTime": _iso(version.modified_at),
        "eventName": event,
        "userIdentity": {
            "principalId": f"AmazonCustomer:{owner}" if event == _RESTORED else f"AWS:{caller.user_id}"
        },
        "requestParameters": {"sourceIPAddress": caller.source_ip},
        "responseElements": {"x-amz-request-id": caller.request_id, "x-amz-id-2": caller.request_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {
                "name": bucket.name,
                "ownerIdentity": {"principalId": owner},
                "arn": bucket.arn(partition_of(bucket.region)),
            },
            "object": _object(event, version),
        },
        **_more(event, version),
    }


def _object(event: str, version: ObjectVersion) -> dict[str, Any]:
    sized = event.startswith(_SIZED)
    entity: dict[str, Any] = {"key": quote_plus(version.key, safe="/")}
    if sized:
        entity["size"] = version.size
    if sized or event.startswith(_OF_PROPERTIES) or event.endswith(":DeleteMarkerCreated"):
        entity["eTag"] = version.etag or "d41d8cd98f00b204e9800998ecf8427e"
    if version.version_id != NULL_VERSION:
        entity["versionId"] = version.version_id
    if not event.startswith(_OF_PROPERTIES):
        entity["sequencer"] = sequencer()
    return entity


def _more(event: str, version: ObjectVersion) -> dict[str, Any]:
    """What only records of some events have."""
    storage_class = version.properties.storage_class
    if event == "LifecycleTransition":
        return {"lifecycleEventData": {"transitionEventData": {"destinationStorageClass": storage_class}}}
    if event == _RESTORED:
        restored = {
            "lifecycleRestorationExpiryTime": _iso(version.restored_until or 0.0),
            "lifecycleRestoreStorageClass": storage_class,
        }
        return {"glacierEventData": {"restoreEventData": restored}}
    return {}


def _entry(bucket: Bucket, event: str, version: ObjectVersion, caller: Caller) -> dict[str, Any]:
    """An entry of PutEvents, which is not of the same form."""
    entity: dict[str, Any] = {"key": version.key}
    if event.startswith(_SIZED):
        entity["size"] = version.size
    if version.etag:
        entity["etag"] = version.etag
    if version.version_id != NULL_VERSION:
        entity["version-id"] = version.version_id
    if not event.startswith(_UNORDERED):
        entity["sequencer"] = sequencer()
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": entity,
        "request-id": caller.request_id,
        "requester": caller.service or caller.account_id,
    }
    if event != _RESTORED:  # of which nobody asked from anywhere
        detail["source-ip-address"] = caller.source_ip
    if event in _REASONS:
        detail["reason"] = _REASONS[event]
    if event.startswith("ObjectRestore:"):
        detail["source-storage-class"] = version.properties.storage_class
    if event == _RESTORED:
        detail["restore-expiry-time"] = _iso(version.restored_until or 0.0)
    if event == "LifecycleTransition":
        detail["destination-storage-class"] = version.properties.storage_class
    if _deletes(event):
        marker = event.endswith(":DeleteMarkerCreated")
        detail["deletion-type"] = "Delete Marker Created" if marker else "Permanently Deleted"
    return {
        "Source": "aws.s3",
        "DetailType": _DETAIL_TYPES.get(event) or _DETAIL_TYPES[event.partition(":")[0]],
        "Time": version.modified_at,
        "Resources": [bucket.arn(partition_of(bucket.region))],
        "Detail": json.dumps(detail),
    }


def _deletes(event: str) -> bool:
    return event.startswith(("ObjectRemoved:", "LifecycleExpiration:"))


def sequencer() -> str:
    """Of two events of one key, the later one's is greater, compared as text."""
    return f"{time.time_ns():018X}"


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
