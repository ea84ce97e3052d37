"""IAM users with their access keys, groups, and instance profiles.

Source: the User, AccessKey, Group and InstanceProfile shapes of the iam service model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """`sealed_secret` opens for the access key's id alone."""

    id: str
    sealed_secret: str
    active: bool = True
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginProfile:
    """`password` is salt and scrypt's hash, in hexadecimal, with a colon between; `earlier` are those before it, the
    newest first."""

    password: str
    earlier: tuple[str, ...] = ()
    reset_required: bool = False
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningCertificate:
    id: str
    body: str
    active: bool = True
    uploaded_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Of an account, not of a region, as everything of IAM. Times are epoch seconds."""

    account_id: str
    name: str
    path: str = "/"
    id: str
    """AIDA… of 21 characters."""
    created_at: float
    tags: Mapping[str, str] = field(default_factory=dict)
    inline_policies: Mapping[str, str] = field(default_factory=dict)
    """JSON text by policy name."""
    attached_policies: tuple[str, ...] = ()
    """ARNs of managed policies, in the order of attachment."""
    permissions_boundary: str | None = None
    access_keys: tuple[AccessKey, ...] = ()
    group_ids: tuple[str, ...] = ()
    """By id, which outlives the renaming of a group."""
    login_profile: LoginProfile | None = None
    signing_certificates: tuple[SigningCertificate, ...] = ()

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:iam::{self.account_id}:user{self.path}{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    account_id: str
    name: str
    path: str = "/"
    id: str
    """AGPA… of 21 characters."""
    created_at: float
    inline_policies: Mapping[str, str] = field(default_factory=dict)
    attached_policies: tuple[str, ...] = ()

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:iam::{self.account_id}:group{self.path}{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceProfile:
    account_id: str
    name: str
    path: str = "/"
    id: str
    """AIPA… of 21 characters."""
    created_at: float
    role_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:iam::{self.account_id}:instance-profile{self.path}{self.name}"


def is_user_arn(principal_arn: str) -> bool:
    return ":user/" in principal_arn
