"""Version ids: 32 characters, of which the last four are a check on the others, so that what was never a version's id
is told from what is no version's id any more, as S3 does. Those of later versions are greater as text: a listing can
go on from a version that was deleted in between (store/sql/objects.sql)."""

import os
import time
from base64 import b64encode
from zlib import crc32

from lambent.model.stored_object import NULL_VERSION
from lambent.services.s3.errors import InvalidArgument

_LENGTH = 32
_CHECK = 4
_IN_ORDER = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._",
    "".join(sorted("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._")),
)
"""From the digits of Base64 to digits that are ordered as their values are."""


def new_version_id() -> str:
    number = time.time_ns().to_bytes(8, "big") + os.urandom(13)
    head = b64encode(number, b"._").decode().translate(_IN_ORDER)
    return head + _check(head)


def check_version_id(version_id: str | None) -> None:
    """Raises InvalidArgument where it is nobody's."""
    if version_id is None or version_id == NULL_VERSION:
        return
    head, check = version_id[:-_CHECK], version_id[-_CHECK:]
    if not version_id:
        raise InvalidArgument(
            "Version id cannot be the empty string", ArgumentName="versionId", ArgumentValue=version_id
        )
    if len(version_id) != _LENGTH or _check(head) != check:
        raise InvalidArgument(
            "Invalid version id specified", ArgumentName="versionId", ArgumentValue=version_id
        )


def _check(head: str) -> str:
    return b64encode((crc32(head.encode()) & 0xFFFFFF).to_bytes(3, "big"), b"._").decode()
