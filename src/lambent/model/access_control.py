"""Access control lists of S3: who owns a bucket or an object, and what the owner grants to whom."""

from dataclasses import dataclass
from typing import Literal

Permission = Literal["FULL_CONTROL", "READ", "READ_ACP", "WRITE", "WRITE_ACP"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """To an account, by its canonical user id (`user`), or to a predefined `group`, by its URI."""

    permission: Permission
    user: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessControlList:
    """`owner` is an account's id. Its root may always read and write the list; all else is as granted."""

    owner: str
    grants: tuple[Grant, ...]
