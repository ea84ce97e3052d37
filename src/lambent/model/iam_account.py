"""What is of an IAM account as a whole, and when its access keys were used.

Source: the PasswordPolicy and AccessKeyLastUsed shapes of the iam service model.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPolicy:
    minimum_length: int = 6
    symbols: bool = False
    numbers: bool = False
    uppercase: bool = False
    lowercase: bool = False
    users_may_change: bool = False
    max_age_days: int | None = None
    reuse_prevention: int | None = None
    hard_expiry: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IamAccount:
    alias: str | None = None
    password_policy: PasswordPolicy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKeyUse:
    """`used_at` is epoch seconds, `service` as policies name it ("lambda")."""

    used_at: float
    service: str
    region: str
