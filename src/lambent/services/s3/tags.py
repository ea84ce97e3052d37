"""Tags of buckets and objects: in XML, and in the header x-amz-tagging.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

from lambent.services.s3.errors import BadRequest, InvalidArgument, InvalidTag

_OBJECT_MOST, _BUCKET_MOST = 10, 50
_KEY_MOST, _VALUE_MOST = 128, 256
_TEXT = re.compile(r"[\w\s.:/=+\-@]*")


def parse_tag_set(members: Sequence[Mapping[str, Any]], *, of_bucket: bool = False) -> list[dict[str, str]]:
    """Raises InvalidTag, BadRequest. In the order in which they are given."""
    keys: set[str] = set()
    most, noun = (_BUCKET_MOST, "Bucket tag count") if of_bucket else (_OBJECT_MOST, "Object tags")
    if len(members) > most:
        raise BadRequest(f"{noun} cannot be greater than {most}")
    for member in members:
        key, value = member["Key"], member["Value"]
        if key in keys:
            raise InvalidTag("Cannot provide multiple Tags with the same key", TagKey=key)
        keys.add(key)
        if key.lower().startswith("aws:"):
            raise InvalidTag(
                "System tags cannot be added/updated by requester"
                if of_bucket
                else "Your TagKey cannot be prefixed with aws:",
                TagKey=key,
            )
        if not key or len(key) > _KEY_MOST or not _TEXT.fullmatch(key):
            raise InvalidTag("The TagKey you have provided is invalid", TagKey=key)
        if len(value) > _VALUE_MOST or not _TEXT.fullmatch(value):
            raise InvalidTag("The TagValue you have provided is invalid", TagKey=key, TagValue=value)
    return [{"Key": member["Key"], "Value": member["Value"]} for member in members]


def parse_tag_header(header: str | None) -> dict[str, str]:
    """x-amz-tagging. Raises InvalidArgument, InvalidTag, BadRequest."""
    if not header:
        return {}
    members = []
    for pair in header.split("&"):
        key, _, value = pair.partition("=")
        members.append({"Key": unquote_plus(key), "Value": unquote_plus(value)})
    keys = [member["Key"] for member in members]
    if len(set(keys)) < len(keys) or any("=" in pair.partition("=")[2] for pair in header.split("&")):
        raise InvalidArgument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag"
            " name duplicates.",
            ArgumentName="x-amz-tagging",
            ArgumentValue=header,
        )
    return as_mapping(parse_tag_set(members))


def as_mapping(tag_set: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tag_set}


def as_tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
