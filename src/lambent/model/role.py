"""IAM roles and policies.

Source: the Role, ManagedPolicy and PolicyVersion shapes of the iam service model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """IAM is global: a role belongs to an account, not to a region. Times are epoch seconds."""

    account_id: str
    name: str
    path: str = "/"
    id: str
    """AROA… of 21 characters."""
    trust_policy: str
    """AssumeRolePolicyDocument, as JSON text."""
    description: str = ""
    max_session_duration: int = 3600
    created_at: float
    tags: Mapping[str, str] = field(default_factory=dict)
    inline_policies: Mapping[str, str] = field(default_factory=dict)
    """JSON text by policy name."""
    attached_policies: tuple[str, ...] = ()
    """ARNs of managed policies, in the order of attachment."""
    permissions_boundary: str | None = None

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:iam::{self.account_id}:role{self.path}{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    id: str
    document: str
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPolicy:
    """A customer's policy; AWS's own are data of the iam service."""

    account_id: str
    name: str
    path: str = "/"
    id: str
    """ANPA… of 21 characters."""
    description: str = ""
    created_at: float
    updated_at: float
    default_version_id: str = "v1"
    newest_version: int = 1
    """The number of the version that was made last, which may be deleted: numbers do not come back."""
    versions: tuple[PolicyVersion, ...]
    tags: Mapping[str, str] = field(default_factory=dict)

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:iam::{self.account_id}:policy{self.path}{self.name}"
