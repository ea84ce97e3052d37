"""S3 objects as they are stored: versions, the parts of uploads, and what goes on to say that something happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lambent.model.access_control import AccessControlList

NULL_VERSION = "null"
"""The version of a key that was put while versioning was not enabled: there is one at most."""

ChecksumType = Literal["FULL_OBJECT", "COMPOSITE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectProperties:
    """What a client says of an object beside its bytes. `headers` are system metadata by the model's member names
    (ContentType, CacheControl…); `expires_at` is that of the Expires header."""

    headers: Mapping[str, str] = field(default_factory=dict)
    expires_at: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectEncryption:
    """By a key of KMS (then `key_arn`, and `data_key` is KMS's ciphertext of what the bytes are sealed with, in its
    `context`), or by one that the customer brings with every request (then `customer_key_md5` in Base64)."""

    key_arn: str | None = None
    data_key: bytes | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    bucket_key: bool = False
    customer_key_md5: str | None = None


RetentionMode = Literal["GOVERNANCE", "COMPLIANCE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectLock:
    """What keeps a version from being deleted. `legal_hold` is None where nobody ever said anything of one."""

    mode: RetentionMode | None = None
    retain_until: float | None = None
    legal_hold: bool | None = None

    def holds(self, now: float, *, bypass: bool = False) -> bool:
        """`bypass` is for who may, and only gets around GOVERNANCE."""
        if self.legal_hold:
            return True
        retained = self.retain_until is not None and self.retain_until > now
        return retained and not (bypass and self.mode == "GOVERNANCE")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectVersion:
    """One version of a key, or a delete marker. Its bytes are in the content named `content`, or in the parts of the
    upload `parts_of`; neither for a delete marker. `etag` is without quotes. `checksums` are base64, by algorithm."""

    bucket: str
    key: str
    version_id: str = NULL_VERSION
    modified_at: float
    delete_marker: bool = False
    size: int = 0
    etag: str = ""
    content: str | None = None
    parts_of: str | None = None
    part_count: int | None = None
    properties: ObjectProperties = ObjectProperties()
    checksums: Mapping[str, str] = field(default_factory=dict)
    checksum_type: ChecksumType | None = None
    lock: ObjectLock = ObjectLock()
    encryption: ObjectEncryption | None = None
    """None where its bytes are on disk as they are."""
    nonce: bytes | None = None
    """Of `content`, where that is sealed."""
    acl: AccessControlList | None = None
    """None for the bucket owner's own."""
    restored_until: float | None = None
    """Where it is archived: until when it can be read all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedVersion:
    version: ObjectVersion
    latest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A multipart upload in progress. Without `checksum_algorithm`, the client asked for none."""

    id: str
    bucket: str
    key: str
    initiated_at: float
    properties: ObjectProperties
    checksum_algorithm: str | None = None
    checksum_type: ChecksumType | None = None
    initiator: str = ""
    """The ARN of whoever began it."""
    lock: ObjectLock = ObjectLock()
    encryption: ObjectEncryption | None = None
    acl: AccessControlList | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`position` is the first byte's in the completed object."""

    number: int
    content: str
    size: int
    etag: str
    modified_at: float
    checksums: Mapping[str, str] = field(default_factory=dict)
    position: int = 0
    nonce: bytes | None = None
    """Where it is sealed, as the whole object is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An event of a bucket on its way to one destination, whose ARN says of which service it is. `body` is the JSON
    text that is handed over."""

    account_id: str
    region: str
    bucket_arn: str
    destination: str
    body: str
    trace_header: str | None = None
    """Of the request that made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCondition:
    """What must hold of the key's current version for a write to happen: `absent`, or that it has this `etag`."""

    absent: bool = False
    etag: str | None = None
