"""Lifecycle rules: what they may say, and when an object expires by them. What they do is `expiry`'s.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from lambent.base.ids import new_uuid
from lambent.model.bucket import Bucket
from lambent.model.caller import Parameters
from lambent.model.stored_object import ObjectVersion
from lambent.services.s3.errors import InvalidArgument, InvalidRequest, MalformedXML
from lambent.services.s3.lifecycle_rules import LIFECYCLE, applies, due_at
from lambent.services.s3.transitions import check_transitions
from lambent.wire.timestamps import format_iso8601_milliseconds, format_rfc822

_RULES_MOST = 1000
_ID_MOST = 255
_ACTIONS = (
    "Expiration",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
    "Transitions",
    "NoncurrentVersionTransitions",
)
_FILTERS = ("Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And")


def check_lifecycle(payload: Any) -> Any:
    """With an id for each rule that came without. Raises MalformedXML, InvalidArgument, InvalidRequest."""
    rules = payload.get("Rules") or []
    if not 0 < len(rules) <= _RULES_MOST:
        raise MalformedXML()
    checked = [{"ID": new_uuid(), **rule} if not rule.get("ID") else dict(rule) for rule in rules]
    ids = [rule["ID"] for rule in checked]
    if len(set(ids)) < len(ids):
        duplicate = next(id for id in ids if ids.count(id) > 1)
        raise InvalidArgument(
            f"Rule ID must be unique. Found same ID for more than one rule: {duplicate}",
            ArgumentName="ID",
            ArgumentValue=duplicate,
        )
    for rule in checked:
        _check_rule(rule)
    return {"Rules": checked}


def _check_rule(rule: Mapping[str, Any]) -> None:
    if len(rule["ID"]) > _ID_MOST:
        raise InvalidArgument(f"ID length should not exceed allowed limit of {_ID_MOST}", ArgumentName="ID")
    if ("Filter" in rule) == ("Prefix" in rule):
        raise MalformedXML()
    _check_filter(rule.get("Filter") or {})
    _check_versions(rule)
    if not any(rule.get(action) for action in _ACTIONS):
        raise InvalidRequest("At least one action needs to be specified in a rule")
    check_transitions(rule)
    if "Expiration" in rule:
        _check_expiration(rule["Expiration"], rule.get("Filter") or {})


def _check_versions(rule: Mapping[str, Any]) -> None:
    noncurrent = rule.get("NoncurrentVersionExpiration")
    if noncurrent is not None:
        _check_days(noncurrent.get("NoncurrentDays"), "NoncurrentVersionExpiration", "NoncurrentDays")
    abort = rule.get("AbortIncompleteMultipartUpload")
    if abort is not None:
        _check_days(abort.get("DaysAfterInitiation"), "AbortIncompleteMultipartUpload", "DaysAfterInitiation")


def _check_filter(given: Mapping[str, Any]) -> None:
    if len([name for name in _FILTERS if name in given]) > 1:
        raise MalformedXML()
    both = given.get("And")
    if both is not None:
        tags = [tag["Key"] for tag in both.get("Tags", ())]
        if len(set(tags)) < len(tags):
            raise InvalidRequest("Duplicate Tag Keys are not allowed.")


def _check_expiration(expiration: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    said = [name for name in ("Date", "Days", "ExpiredObjectDeleteMarker") if name in expiration]
    if len(said) != 1:
        raise MalformedXML()
    if "Days" in expiration:
        _check_days(expiration["Days"], "Expiration", "Days")
    date = expiration.get("Date")
    if isinstance(date, datetime) and (date.hour, date.minute, date.second, date.microsecond) != (0, 0, 0, 0):
        raise InvalidArgument(
            "'Date' must be at midnight GMT",
            ArgumentName="Date",
            ArgumentValue=format_iso8601_milliseconds(date),
        )
    if "ExpiredObjectDeleteMarker" in expiration and ("Tag" in given or "Tags" in (given.get("And") or {})):
        raise InvalidRequest("ExpiredObjectDeleteMarker cannot be specified with Tags.")


def _check_days(days: int | None, action: str, name: str) -> None:
    if days is None:
        raise MalformedXML()
    if days <= 0:
        raise InvalidArgument(
            f"'{name}' for {action} action must be a positive integer", ArgumentName=name, ArgumentValue=days
        )


def expires_at(expiration: Mapping[str, Any], version: ObjectVersion) -> float | None:
    """When an object expires by what a rule says of the current version; None where it never does."""
    if "Date" in expiration:
        return float(expiration["Date"])
    return due_at(version.modified_at, expiration["Days"]) if "Days" in expiration else None


def expiration_members(bucket: Bucket, version: ObjectVersion) -> Parameters:
    """What S3 says along with an object of the rule that ends it first."""
    rules = (bucket.configurations.get(LIFECYCLE) or {}).get("Rules", ())
    ends = []
    for rule in rules:
        moment = expires_at(rule.get("Expiration") or {}, version)
        if moment is not None and rule["Status"] == "Enabled" and applies(rule, version):
            ends.append((moment, rule["ID"]))
    if not ends:
        return {}
    moment, id = min(ends)
    return {"Expiration": f'expiry-date="{format_rfc822(moment)}", rule-id="{quote(id)}"'}
