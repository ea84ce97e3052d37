"""What KMS keeps: keys, the names they have, and who may use them beyond their policies.

Source: the KeyMetadata, AliasListEntry and GrantListEntry shapes of the kms service model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

KeyState = Literal["Enabled", "Disabled", "PendingDeletion", "PendingImport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """`at` is epoch seconds."""

    at: float
    type: Literal["AUTOMATIC", "ON_DEMAND"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """`materials` are wrapped by the server's own key (base64), the newest last; what an older one encrypted it
    decrypts. Of a key whose material is imported (origin EXTERNAL) there may be none, for now; `imported` is the
    fingerprint of the one that belongs to it, and `expires_at` when it goes. Times are epoch seconds."""

    account_id: str
    region: str
    id: str
    description: str = ""
    created_at: float
    materials: tuple[str, ...]
    policy: str
    enabled: bool = True
    deletion_at: float | None = None
    pending_window_days: int = 30
    manager: Literal["CUSTOMER", "AWS"] = "CUSTOMER"
    tags: Mapping[str, str] = field(default_factory=dict)
    rotation_period_days: int | None = None
    rotates_at: float | None = None
    rotations: tuple[Rotation, ...] = ()
    spec: str = "SYMMETRIC_DEFAULT"
    usage: str = "ENCRYPT_DECRYPT"
    origin: Literal["AWS_KMS", "EXTERNAL"] = "AWS_KMS"
    imported: str | None = None
    expires_at: float | None = None

    @property
    def state(self) -> KeyState:
        if self.deletion_at is not None:
            return "PendingDeletion"
        if not self.materials:
            return "PendingImport"
        return "Enabled" if self.enabled else "Disabled"

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:kms:{self.region}:{self.account_id}:key/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """`name` begins with "alias/"."""

    account_id: str
    region: str
    name: str
    key_id: str
    created_at: float
    updated_at: float

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:kms:{self.region}:{self.account_id}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """`grantee` and `retiring` are ARNs or the names of AWS services; `constraints` as they were given."""

    id: str
    key_id: str
    grantee: str
    retiring: str | None = None
    operations: tuple[str, ...]
    constraints: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    issuing_account: str
    created_at: float
