"""Storage classes. All of them are the same disk; from the archived ones an object must be restored to be read.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html
"""

from typing import Any

from lambent.model.caller import Parameters
from lambent.model.stored_object import ObjectVersion
from lambent.services.s3.errors import InvalidObjectState, InvalidStorageClass
from lambent.wire.timestamps import format_rfc822

STANDARD = "STANDARD"
_AT_HAND = frozenset(
    {STANDARD, "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"}
)
"""Those from which an object can be read at any time."""
ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
COLDER = (
    STANDARD,
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "INTELLIGENT_TIERING",
    "ONEZONE_IA",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
)
"""Lifecycle rules move objects to what comes later here, and never back."""


def read_storage_class(parameters: Parameters) -> str:
    """Raises InvalidStorageClass."""
    storage_class: str = parameters.get("StorageClass") or STANDARD
    if storage_class not in _AT_HAND and storage_class not in ARCHIVED:
        raise InvalidStorageClass(StorageClassRequested=storage_class)
    return storage_class


def check_readable(version: ObjectVersion, now: float, message: str) -> None:
    """Raises InvalidObjectState where it is archived and has no restored copy."""
    storage_class = version.properties.storage_class
    if storage_class in ARCHIVED and not is_restored(version, now):
        raise InvalidObjectState(message, StorageClass=storage_class)


def is_restored(version: ObjectVersion, now: float) -> bool:
    return version.restored_until is not None and now < version.restored_until


def restore_members(version: ObjectVersion, now: float) -> Parameters:
    """As GetObject and HeadObject have it."""
    if not is_restored(version, now):
        return {}
    return {
        "Restore": f'ongoing-request="false", expiry-date="{format_rfc822(version.restored_until or 0.0)}"'
    }


def restore_status(version: ObjectVersion, now: float) -> dict[str, Any]:
    """As listings have it where they are asked for it."""
    if not is_restored(version, now):
        return {}
    status = {"IsRestoreInProgress": False, "RestoreExpiryDate": version.restored_until}
    return {"RestoreStatus": status}
