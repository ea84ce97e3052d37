"""Lifecycle rules as they are stored: which objects they are of, and when what is so many days old is due.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-filters.html
"""

from collections.abc import Mapping
from typing import Any

from lambent.model.stored_object import ObjectVersion

LIFECYCLE = "LifecycleConfiguration"
"""The name of the setting that all this is of."""
DAY_SECONDS = 86_400.0


def due_at(since: float, days: int) -> float:
    """The midnight when what is so many days old by then is due."""
    return -(-(since + days * DAY_SECONDS) // DAY_SECONDS) * DAY_SECONDS


def prefix_of(rule: Mapping[str, Any]) -> str:
    given = rule.get("Filter") or {}
    return str(rule.get("Prefix") or given.get("Prefix") or (given.get("And") or {}).get("Prefix") or "")


def sizes_of(rule: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """What an object must be larger than, and smaller than."""
    given = rule.get("Filter") or {}
    both = given.get("And") or {}
    larger = given.get("ObjectSizeGreaterThan", both.get("ObjectSizeGreaterThan"))
    smaller = given.get("ObjectSizeLessThan", both.get("ObjectSizeLessThan"))
    return larger, smaller


def applies(rule: Mapping[str, Any], version: ObjectVersion) -> bool:
    """Whether an object is one that the rule is of."""
    given = rule.get("Filter") or {}
    both = given.get("And") or {}
    tags = [given["Tag"]] if "Tag" in given else both.get("Tags", ())
    larger, smaller = sizes_of(rule)
    return (
        version.key.startswith(prefix_of(rule))
        and all(version.properties.tags.get(tag["Key"]) == tag["Value"] for tag in tags)
        and (larger is None or version.size > larger)
        and (smaller is None or version.size < smaller)
    )
