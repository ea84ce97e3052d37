"""PutBucketNotificationConfiguration and GetBucketNotificationConfiguration: who is told of what, and whether S3 may
tell.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lambent.base.arn import Arn, partition_of
from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.configurations import configured
from lambent.services.s3.delivery import Destinations
from lambent.services.s3.errors import InvalidArgument
from lambent.services.s3.events import DESTINATIONS, NOTIFICATION

_SERVICES = {
    "LambdaFunctionConfigurations": ("lambda", "CloudFunction", "cloud function"),
    "QueueConfigurations": ("sqs", "Queue", "queue"),
    "TopicConfigurations": ("sns", "Topic", "topic"),
}
"""By kind: the service in its ARN, and how the errors call it."""


class NotificationConfigurations:
    def __init__(self, records: BucketRecords, destinations: Destinations, clock: Clock) -> None:
        self._records = records
        self._destinations = destinations
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutBucketNotificationConfiguration": self.put,
            "GetBucketNotificationConfiguration": self.get,
        }

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        return dict(self._records.require(caller, parameters).configurations.get(NOTIFICATION) or {})

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._records.require(caller, parameters)
        checked = check_notifications(parameters.get(NOTIFICATION) or {}, bucket)
        if not parameters.get("SkipDestinationValidation"):
            await self._validate(caller, bucket, checked)
        await self._records.change(
            bucket.name, lambda bucket: configured(bucket, NOTIFICATION, checked or None)
        )
        return {}

    async def _validate(self, caller: Caller, bucket: Bucket, configuration: Mapping[str, Any]) -> None:
        """Queues and topics are told of the configuration itself (s3:TestEvent); functions are asked for, and for their
        permission."""
        test = json.dumps(_test_event(caller, bucket, self._clock.now()))
        refused: dict[str, str] = {}
        for kind, arn_member in DESTINATIONS.items():
            for one in configuration.get(kind, ()):
                arn = one[arn_member]
                refusal = await self._destinations.refusal(bucket, arn, test)
                if refusal is not None and arn not in refused:
                    refused[arn] = refusal.format(noun=_SERVICES[kind][2])
        if refused:
            members: dict[str, str] = {}
            for number, (arn, refusal) in enumerate(refused.items(), 1):
                named = f"{arn}, null" if ":lambda:" in arn else arn
                members |= {f"ArgumentName{number}": named, f"ArgumentValue{number}": refusal}
            raise InvalidArgument("Unable to validate the following destination configurations", **members)


def check_notifications(payload: Mapping[str, Any], bucket: Bucket) -> dict[str, Any]:
    """As it is stored: with ids, and AWS's spelling of filter names. Raises InvalidArgument."""
    checked: dict[str, Any] = {}
    for kind, arn_member in DESTINATIONS.items():
        ones = [_check_one(kind, arn_member, one, bucket) for one in payload.get(kind) or ()]
        if ones:
            checked[kind] = ones
    if payload.get("EventBridgeConfiguration") is not None:
        checked["EventBridgeConfiguration"] = {}
    everyone = [one for kind in DESTINATIONS for one in checked.get(kind, ())]
    ids = [one["Id"] for one in everyone]
    if len(set(ids)) < len(ids):
        raise InvalidArgument(
            "Same ID used for multiple configurations. IDs must be unique",
            ArgumentName="Id",
            ArgumentValue=next(id for id in ids if ids.count(id) > 1),
        )
    _refuse_overlaps(everyone)
    return checked


def _check_one(kind: str, arn_member: str, one: Mapping[str, Any], bucket: Bucket) -> dict[str, Any]:
    service, name, _ = _SERVICES[kind]
    text = one[arn_member]
    try:
        arn = Arn.parse(text)
    except ValueError:
        raise InvalidArgument("The ARN could not be parsed", ArgumentName=name, ArgumentValue=text) from None
    if arn.service != service or arn.partition != partition_of(bucket.region):
        raise InvalidArgument("The ARN could not be parsed", ArgumentName=name, ArgumentValue=text)
    if arn.region != bucket.region:
        raise InvalidArgument(
            "The notification destination service region is not valid for the bucket location constraint",
            ArgumentName=name,
            ArgumentValue=text,
        )
    if service in ("sqs", "sns") and arn.resource.endswith(".fifo"):
        fifo = "FIFO SQS queues" if service == "sqs" else "FIFO SNS topics"
        raise InvalidArgument(f"{fifo} are not supported", ArgumentName=name, ArgumentValue=text)
    checked = {"Id": new_uuid(), **one} if not one.get("Id") else dict(one)
    if checked.get("Filter"):
        checked["Filter"] = _check_filter(checked["Filter"])
    return checked


def _check_filter(given: Mapping[str, Any]) -> dict[str, Any]:
    rules = []
    for rule in (given.get("Key") or {}).get("FilterRules") or ():
        name = str(rule.get("Name", ""))
        if name.lower() not in ("prefix", "suffix"):
            raise InvalidArgument(
                "filter rule name must be either prefix or suffix",
                ArgumentName="FilterRule.Name",
                ArgumentValue=name,
            )
        if "Value" not in rule:
            raise InvalidArgument(
                "filter value cannot be empty", ArgumentName="FilterRule.Value", ArgumentValue="null"
            )
        rules.append({"Name": name.capitalize(), "Value": rule["Value"]})
    names = [rule["Name"] for rule in rules]
    if len(set(names)) < len(names):
        raise InvalidArgument(
            "Cannot specify more than one prefix or suffix rule in a filter.",
            ArgumentName="FilterRule.Name",
            ArgumentValue=names[0].lower(),
        )
    return {"Key": {"FilterRules": rules}}


def _refuse_overlaps(configurations: Sequence[Mapping[str, Any]]) -> None:
    """One event of one key goes to one destination."""
    for at, one in enumerate(configurations):
        for other in configurations[at + 1 :]:
            if _events_overlap(one["Events"], other["Events"]) and _filters_overlap(one, other):
                raise InvalidArgument(
                    "Configurations overlap. Configurations on the same bucket cannot share a common event type."
                )


def _events_overlap(some: Sequence[str], others: Sequence[str]) -> bool:
    return any(
        a == b or (a.endswith("*") and b.startswith(a[:-1])) or (b.endswith("*") and a.startswith(b[:-1]))
        for a in some
        for b in others
    )


def _filters_overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    a, b = _filter_of(one), _filter_of(other)
    prefixes = a["Prefix"].startswith(b["Prefix"]) or b["Prefix"].startswith(a["Prefix"])
    suffixes = a["Suffix"].endswith(b["Suffix"]) or b["Suffix"].endswith(a["Suffix"])
    return prefixes and suffixes


def _filter_of(one: Mapping[str, Any]) -> dict[str, str]:
    rules = ((one.get("Filter") or {}).get("Key") or {}).get("FilterRules", ())
    return {"Prefix": "", "Suffix": "", **{rule["Name"]: rule["Value"] for rule in rules}}


def _test_event(caller: Caller, bucket: Bucket, now: float) -> dict[str, Any]:
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "Bucket": bucket.name,
        "RequestId": caller.request_id,
        "HostId": caller.request_id,
    }
