"""S3 buckets as they are stored: who owns one, and what is configured on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lambent.model.access_control import AccessControlList

Versioning = Literal["Enabled", "Suspended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Names are unique in a partition, whoever owns them. `versioning` is None until it was first enabled."""

    name: str
    account_id: str
    region: str
    created_at: float
    versioning: Versioning | None = None
    policy: str | None = None
    """The bucket policy's text, as it was given."""
    acl: AccessControlList | None = None
    """None for the owner's own."""
    configurations: Mapping[str, Any] = field(default_factory=dict)
    """By the payload's name in the service model ("CORSConfiguration"), as it was given; times are epoch seconds."""

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:s3:::{self.name}"
