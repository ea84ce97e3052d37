"""Container images: what names one, and what their manifests and configurations say.

Source: https://github.com/opencontainers/image-spec (manifest.md, image-index.md, config.md) and
https://distribution.github.io/distribution/spec/manifest-v2-2/
"""

import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"

_INDEXES = frozenset({DOCKER_LIST, OCI_INDEX})
_MANIFESTS = frozenset({DOCKER_MANIFEST, OCI_MANIFEST})
_CONFIGS = frozenset(
    {"application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json"}
)
_LAYERS: Mapping[str, Literal["tar", "gzip"]] = {
    "application/vnd.docker.image.rootfs.diff.tar": "tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
    "application/vnd.oci.image.layer.v1.tar": "tar",
    "application/vnd.oci.image.layer.v1.tar+gzip": "gzip",
}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REFERENCE = re.compile(
    r"(?P<registry>[0-9A-Za-z][0-9A-Za-z.-]*(:[0-9]{1,5})?|\[[0-9a-fA-F:]+\](:[0-9]{1,5})?)"
    r"/(?P<repository>[a-z0-9]+([._/-]+[a-z0-9]+)*)"
    r"(:(?P<tag>[0-9A-Za-z_][0-9A-Za-z_.-]{0,299}))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_ECR_HOST = re.compile(
    r"(?P<account_id>[0-9]{12})\.dkr[.-]ecr(-fips)?\.(?P<region>[a-z]{2,3}(-[a-z]+)+-[0-9]{1,2})\.[a-z0-9.]+"
)


_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class InvalidManifestError(Exception):
    """Not a manifest, or one that names what is none. The message says why."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """`digest` is "sha256:" and 64 hexadecimal digits, `size` in bytes."""

    media_type: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Of one image, with `config` and `layers`, or an index of several, which are its `manifests`. `says_media_type`:
    it does so itself; else its type is what it came with, or was guessed."""

    media_type: str
    says_media_type: bool = True
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] = ()
    artifact_type: str | None = None
    subject: Descriptor | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def runs(self) -> bool:
        """Whether it is of a kind that AWS Lambda runs: one image, whose layers are tar files, plain or gzipped."""
        return (
            self.media_type in _MANIFESTS
            and self.config is not None
            and self.config.media_type in _CONFIGS
            and all(layer.media_type in _LAYERS for layer in self.layers)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """What an image says of how it is run. Empty where it says nothing."""

    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_directory: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    architecture: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOverrides:
    """A function's ImageConfig: what counts instead of the image's own; None where the image decides."""

    entry_point: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    working_directory: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionImage:
    """The image of a function: as it was named, and by the digest that the name had then."""

    uri: str
    resolved_uri: str
    repository: str | None = None
    """Of ECR here: account, region and name, with slashes between; None for an image of elsewhere."""
    overrides: ImageOverrides = ImageOverrides()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """`registry/repository:tag@digest`. Where both are given, the digest counts."""

    registry: str
    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, uri: str) -> "ImageReference | None":
        """None for what names no image of a registry."""
        found = _REFERENCE.fullmatch(uri)
        return None if found is None else cls(**_named(found, "registry", "repository", "tag", "digest"))

    def with_digest(self, digest: str) -> str:
        return f"{self.registry}/{self.repository}@{digest}"


def architecture_here() -> str:
    """This machine's, as images call it."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def ecr_registry(host: str) -> tuple[str, str] | None:
    """Account and region of `<account>.dkr.ecr.<region>.amazonaws.com`, with or without a port; None for others."""
    found = _ECR_HOST.fullmatch(host.partition(":")[0])
    return None if found is None else (found["account_id"], found["region"])


def compression(layer: Descriptor) -> Literal["tar", "gzip"]:
    """Of a layer of a manifest that `runs`."""
    return _LAYERS[layer.media_type]


def parse_manifest(document: bytes, media_type: str | None = None) -> Manifest:
    """`media_type` is what the document came with; without one, it says itself. Raises InvalidManifestError."""
    try:
        members = json.loads(document)
    except ValueError as error:
        raise InvalidManifestError("it is not JSON") from error
    if not isinstance(members, dict) or members.get("schemaVersion") != 2:
        raise InvalidManifestError("its schemaVersion is not 2")
    said = members.get("mediaType")
    if said is not None and media_type is not None and said != media_type:
        raise InvalidManifestError(f"it is sent as {media_type} and says that it is {said}")
    kind = said or media_type or (OCI_INDEX if "manifests" in members else OCI_MANIFEST)
    if kind in _INDEXES:
        return Manifest(
            media_type=kind,
            says_media_type=said is not None,
            manifests=_descriptors(members, "manifests"),
            artifact_type=_text(members, "artifactType"),
            subject=_optional(members, "subject"),
            annotations=_texts(members, "annotations"),
        )
    if kind not in _MANIFESTS:
        raise InvalidManifestError(f"its media type {kind} is not known")
    return Manifest(
        media_type=kind,
        says_media_type=said is not None,
        config=_descriptor(members.get("config"), "config"),
        layers=_descriptors(members, "layers"),
        artifact_type=_text(members, "artifactType"),
        subject=_optional(members, "subject"),
        annotations=_texts(members, "annotations"),
    )


def parse_config(document: bytes) -> ImageConfig:
    """Raises InvalidManifestError."""
    try:
        members = json.loads(document)
        config = members.get("config") or {}
        return ImageConfig(
            entry_point=_words(config.get("Entrypoint")),
            command=_words(config.get("Cmd")),
            working_directory=str(config.get("WorkingDir") or ""),
            variables=dict(_variable(entry) for entry in _words(config.get("Env"))),
            architecture=str(members.get("architecture") or ""),
        )
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidManifestError("its configuration is not one of an image") from error


def _words(value: Any) -> tuple[str, ...]:
    words = tuple(value or ())
    if isinstance(value, str) or not all(isinstance(word, str) and "\0" not in word for word in words):
        raise TypeError
    return words


def _variable(entry: str) -> tuple[str, str]:
    name, _, value = entry.partition("=")
    if not name:
        raise ValueError
    return name, value


def _descriptors(members: Mapping[str, Any], name: str) -> tuple[Descriptor, ...]:
    entries = members.get(name)
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise InvalidManifestError(f"its {name} are no list")
    return tuple(_descriptor(entry, name) for entry in entries)


def _optional(members: Mapping[str, Any], name: str) -> Descriptor | None:
    return _descriptor(members[name], name) if members.get(name) else None


def _descriptor(entry: Any, name: str) -> Descriptor:
    if not isinstance(entry, dict):
        raise InvalidManifestError(f"{name} is no descriptor")
    media_type, digest, size = entry.get("mediaType"), entry.get("digest"), entry.get("size")
    if not isinstance(digest, str) or not is_digest(digest):
        raise InvalidManifestError(f"{name} has no digest of SHA-256")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0 or not isinstance(media_type, str):
        raise InvalidManifestError(f"{name} has no size or no media type")
    return Descriptor(media_type, digest, size)


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) else None


def _texts(members: Mapping[str, Any], name: str) -> dict[str, str]:
    values = members.get(name) or {}
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise InvalidManifestError(f"its {name} are not texts")
    return values


def _named(found: re.Match[str], *names: str) -> dict[str, Any]:
    return {name: found[name] for name in names}
