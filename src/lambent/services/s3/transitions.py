"""Transitions of lifecycle rules: what they may say, and which storage class an object is due for.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lambent.model.bucket import Bucket
from lambent.model.stored_object import ObjectVersion
from lambent.services.s3.errors import InvalidArgument, InvalidRequest, MalformedXML
from lambent.services.s3.lifecycle_rules import LIFECYCLE, due_at, prefix_of, sizes_of
from lambent.services.s3.storage_classes import ARCHIVED, COLDER

SMALLEST = "TransitionDefaultMinimumObjectSize"
SMALLEST_DEFAULT = "all_storage_classes_128K"
_SMALLEST_BYTES = 128 * 1024
_DAYS_LEAST = {"STANDARD_IA": 30, "ONEZONE_IA": 30}


def check_transitions(rule: Mapping[str, Any]) -> None:
    """Raises MalformedXML, InvalidArgument, InvalidRequest."""
    current = rule.get("Transitions") or ()
    for transition in current:
        if "StorageClass" not in transition or ("Days" in transition) == ("Date" in transition):
            raise MalformedXML()
        _check_days("Transition", "Days", transition)
    noncurrent = rule.get("NoncurrentVersionTransitions") or ()
    for transition in noncurrent:
        if "StorageClass" not in transition or "NoncurrentDays" not in transition:
            raise MalformedXML()
        _check_days("NoncurrentVersionTransition", "NoncurrentDays", transition)
    _refuse_doubles("Transition", rule, current)
    _refuse_doubles("NoncurrentVersionTransition", rule, noncurrent)
    _check_before_expiration(rule, current)


def due_class(transitions: Sequence[Mapping[str, Any]], since: float, now: float) -> str | None:
    """The coldest that is due, of what is so old `since` then."""
    due = [transition["StorageClass"] for transition in transitions if now >= _due_at(transition, since)]
    return max(due, key=COLDER.index, default=None)


def moves(bucket: Bucket, rule: Mapping[str, Any], version: ObjectVersion, storage_class: str) -> bool:
    """Whether a version is colder there than it is, and not too small for it."""
    if COLDER.index(storage_class) <= COLDER.index(version.properties.storage_class):
        return False
    if any(size is not None for size in sizes_of(rule)):
        return True
    smallest = (bucket.configurations.get(LIFECYCLE) or {}).get(SMALLEST, SMALLEST_DEFAULT)
    varies = smallest != SMALLEST_DEFAULT and storage_class in ARCHIVED
    return varies or version.size >= _SMALLEST_BYTES


def _due_at(transition: Mapping[str, Any], since: float) -> float:
    if "Date" in transition:
        return float(transition["Date"])
    return due_at(since, transition["Days"] if "Days" in transition else transition["NoncurrentDays"])


def _check_days(action: str, name: str, transition: Mapping[str, Any]) -> None:
    days, storage_class = transition.get(name), transition["StorageClass"]
    if days is None:
        return
    if days < 0:
        raise InvalidArgument(
            f"'{name}' in {action} action must be nonnegative", ArgumentName=name, ArgumentValue=days
        )
    least = _DAYS_LEAST.get(storage_class, 0)
    if days < least:
        raise InvalidArgument(
            f"'{name}' in {action} action must be greater than or equal to {least} for storageClass"
            f" '{storage_class}'",
            ArgumentName=name,
            ArgumentValue=days,
        )


def _refuse_doubles(action: str, rule: Mapping[str, Any], transitions: Sequence[Mapping[str, Any]]) -> None:
    classes = [transition["StorageClass"] for transition in transitions]
    if len(set(classes)) < len(classes):
        raise InvalidRequest(
            f"'StorageClass' must be different for '{action}' actions in same 'Rule' with prefix"
            f" '{prefix_of(rule)}'"
        )


def _check_before_expiration(rule: Mapping[str, Any], transitions: Sequence[Mapping[str, Any]]) -> None:
    expiration = rule.get("Expiration") or {}
    dated = ["Date" in one for one in (*transitions, expiration) if "Date" in one or "Days" in one]
    if any(dated) and not all(dated):
        raise InvalidRequest(
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for filter"
            f" '(prefix={prefix_of(rule)})'"
        )
    days = expiration.get("Days")
    if days is not None and any(days <= transition["Days"] for transition in transitions):
        raise InvalidArgument(
            f"'Days' in the Expiration action for filter '(prefix={prefix_of(rule)})' must be greater than 'Days' in"
            " the Transition action",
            ArgumentName="Days",
            ArgumentValue=days,
        )
