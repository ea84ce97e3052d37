"""What Amazon ECR keeps: repositories, the images and tags in them, and their layers.

Source: the Repository, ImageDetail and Layer shapes of the ecr service model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Times are epoch seconds. `policy` and `lifecycle_policy` are the JSON text that was given."""

    account_id: str
    region: str
    name: str
    created_at: float
    tag_mutability: str = "MUTABLE"
    exclusion_filters: tuple[str, ...] = ()
    """Wildcards of tags for which the opposite of `tag_mutability` holds."""
    scan_on_push: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: str | None = None
    lifecycle_policy: str | None = None
    lifecycle_evaluated_at: float = 0.0

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:ecr:{self.region}:{self.account_id}:repository/{self.name}"

    def is_immutable(self, tag: str) -> bool:
        excluded = any(fnmatchcase(tag, wildcard) for wildcard in self.exclusion_filters)
        return self.tag_mutability.startswith("IMMUTABLE") != excluded


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryImage:
    """An image, or an index of several, in one repository. `manifest` is its text, byte by byte; `size` is that of its
    layers as they are stored."""

    digest: str
    manifest: str
    media_type: str
    artifact_type: str | None
    size: int
    pushed_at: float
    pulled_at: float | None = None
    blobs: tuple[str, ...] = ()
    """Digests of its layers and its configuration."""
    images: tuple[str, ...] = ()
    """Digests of the images that it is an index of."""
    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTag:
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryLayer:
    """That a repository has the content with a digest: a layer, or an image's configuration."""

    digest: str
    size: int
    completed_at: float
