"""Tags of roles and policies. Keys are compared without regard to case, as IAM does.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lambent.services.iam.errors import InvalidInput, LimitExceeded
from lambent.services.iam.limits import TAGS


def parse_tags(members: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Raises InvalidInput for a key that is there twice or is AWS's own, LimitExceeded for too many."""
    tags: dict[str, str] = {}
    for member in members:
        key = member["Key"]
        if key.lower() in {other.lower() for other in tags}:
            raise InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
        if key.lower().startswith("aws:"):
            raise InvalidInput("Tag keys that begin with aws: are reserved for system use.")
        tags[key] = member["Value"]
    _check_count(tags)
    return tags


def with_tags(tags: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """A tag whose key is there already, in whatever case, is replaced."""
    replaced = {key.lower() for key in added}
    merged = {key: value for key, value in tags.items() if key.lower() not in replaced}
    merged.update(added)
    _check_count(merged)
    return merged


def without_tags(tags: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    removed = {key.lower() for key in keys}
    return {key: value for key, value in tags.items() if key.lower() not in removed}


def tag_members(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _check_count(tags: Mapping[str, str]) -> None:
    if len(tags) > TAGS:
        raise LimitExceeded("The number of tags has reached the maximum limit.")
