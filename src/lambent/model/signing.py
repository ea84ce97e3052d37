"""What AWS Signer keeps: profiles, which say who signs and for how long, and jobs, each of which signed one object.

Source: the signer service model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PeriodType = Literal["DAYS", "MONTHS", "YEARS"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Times are epoch seconds. Of a profile, only what was signed from `effective_from` on is revoked."""

    reason: str
    revoked_at: float
    revoked_by: str
    effective_from: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningProfile:
    """`version` is the current one; `revocations` are by version."""

    account_id: str
    region: str
    name: str
    version: str
    validity_value: int
    validity_type: PeriodType
    canceled: bool = False
    revocations: Mapping[str, Revocation] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:signer:{self.region}:{self.account_id}:/signing-profiles/{self.name}"

    def version_arn(self, partition: str = "aws") -> str:
        return f"{self.arn(partition)}/{self.version}"

    @property
    def status(self) -> str:
        if self.version in self.revocations:
            return "Revoked"
        return "Canceled" if self.canceled else "Active"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningJob:
    """`source` and `signed` are bucket, key and version of objects in S3 (no version where there is none); `signed` is
    None for a job that failed, which `failure` explains."""

    account_id: str
    region: str
    id: str
    profile_name: str
    profile_version: str
    source: tuple[str, str, str]
    signed: tuple[str, str] | None
    failure: str | None = None
    created_at: float
    expires_at: float
    requested_by: str
    revocation: Revocation | None = None

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:signer:{self.region}:{self.account_id}:/signing-jobs/{self.id}"
