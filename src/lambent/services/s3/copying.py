"""CopyObject and UploadPartCopy: from one object of ours to another, without a client's bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from lambent.base.clock import Clock
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Client, Operation
from lambent.model.stored_object import ObjectProperties, ObjectVersion
from lambent.services.s3.acl import acl_of_new_object
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.checksums import DEFAULT, asked_algorithm, checksum_members
from lambent.services.s3.conditions import check_copy_source, write_condition
from lambent.services.s3.digests import SINGLE_MOST, BodyDigest
from lambent.services.s3.encryption import Encryptions, Sealing, encryption_members
from lambent.services.s3.errors import (
    InvalidArgument,
    InvalidRange,
    InvalidRequest,
    MethodNotAllowed,
    NoSuchKey,
    SlowDown,
)
from lambent.services.s3.names import check_key
from lambent.services.s3.object_bytes import ObjectBytes
from lambent.services.s3.object_lock import lock_of
from lambent.services.s3.object_lookup import ObjectLookup, shown_version_id
from lambent.services.s3.properties import REDIRECT, read_properties, read_redirect
from lambent.services.s3.ranges import ByteRange, read_range
from lambent.services.s3.storage_classes import check_readable, read_storage_class
from lambent.services.s3.tags import parse_tag_header
from lambent.services.s3.upload_parts import UploadParts
from lambent.services.s3.writing import Writing, version_id_for, written_members
from lambent.store.ports.contents import Content, ContentStore
from lambent.store.ports.errors import ContentMissingError, StoreFullError

_CUSTOMER_KEY = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")
_NOT_AT_HAND = "Operation is not valid for the source object's storage class"


@dataclass(frozen=True, slots=True)
class _Source:
    bucket: Bucket
    version: ObjectVersion
    key: bytes | None
    """What opens its bytes, where they are sealed."""

    @property
    def everything(self) -> ByteRange:
        return ByteRange(0, self.version.size - 1)


class Copying:
    def __init__(
        self,
        buckets: BucketRecords,
        lookup: ObjectLookup,
        contents: ContentStore,
        files: ObjectBytes,
        writing: Writing,
        parts: UploadParts,
        client: Client,
        encryptions: Encryptions,
        clock: Clock,
    ) -> None:
        self._buckets = buckets
        self._lookup = lookup
        self._contents = contents
        self._files = files
        self._writing = writing
        self._parts = parts
        self._client = client
        self._encryptions = encryptions
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {"CopyObject": self.copy, "UploadPartCopy": self.copy_part}

    async def copy(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        check_key(parameters["Key"])
        acl = acl_of_new_object(caller, bucket, parameters)
        # A copy has no body whose digest could be asked for.
        lock = lock_of(bucket, parameters, {}, self._clock.now())
        condition = write_condition(parameters)
        source = await self._source(caller, parameters)
        properties = _properties(parameters, source.version)
        _refuse_copy_to_itself(parameters, bucket, source)
        if source.version.size > SINGLE_MOST:
            raise InvalidRequest(
                "The specified copy source is larger than the maximum allowable size for a copy source:"
                f" {SINGLE_MOST}"
            )
        sealing = await self._encryptions.of_new(caller, bucket, parameters)
        copied, content = await self._copied(source, asked_algorithm(parameters), sealing)
        now = self._clock.now()
        version = replace(
            copied,
            bucket=bucket.name,
            key=parameters["Key"],
            content=content.name,
            version_id=version_id_for(bucket),
            modified_at=now,
            properties=properties,
            lock=lock,
            encryption=sealing.encryption,
            acl=acl,
            restored_until=None,
        )
        await self._writing.commit(caller, bucket, version, "ObjectCreated:Copy", condition, content.data)
        members = written_members(bucket, version)
        output: Parameters = {
            "CopyObjectResult": {
                "ETag": members.pop("ETag"),
                "LastModified": float(int(version.modified_at)),
                **checksum_members(version.checksums, None),
            },
            **members,
        }
        version_id = shown_version_id(source.bucket, source.version)
        if version_id is not None:
            output["CopySourceVersionId"] = version_id
        return output

    async def copy_part(self, caller: Caller, parameters: Parameters) -> Parameters:
        upload = await self._parts.find_upload(parameters, caller)
        source = await self._source(caller, parameters)
        taken = _copy_range(parameters.get("CopySourceRange"), source.version)
        sealing = await self._parts.sealing(caller, upload, parameters)
        body = await self._files.read(source.version, taken, source.key)
        digest = BodyDigest({}, also=self._parts.algorithms(upload))
        part = await self._parts.receive(upload, parameters["PartNumber"], body, digest, sealing)
        result: Parameters = {
            "ETag": f'"{part.etag}"',
            "LastModified": float(int(part.modified_at)),
        }
        if upload.checksum_algorithm is not None:
            result |= checksum_members(
                {upload.checksum_algorithm: part.checksums[upload.checksum_algorithm]}, None
            )
        output: Parameters = {"CopyPartResult": result, **encryption_members(upload.encryption)}
        version_id = shown_version_id(source.bucket, source.version)
        if version_id is not None:
            output["CopySourceVersionId"] = version_id
        return output

    async def _source(self, caller: Caller, parameters: Parameters) -> _Source:
        """That the caller may read it is checked as for reading it."""
        name, key, version_id = read_source(parameters["CopySource"])
        named: dict[str, Any] = {"Bucket": name, "Key": key}
        if version_id is not None:
            named["VersionId"] = version_id
        if "ExpectedSourceBucketOwner" in parameters:
            named["ExpectedBucketOwner"] = parameters["ExpectedSourceBucketOwner"]
        bucket = self._buckets.require(caller, named)
        for member in _CUSTOMER_KEY:
            if f"CopySource{member}" in parameters:
                named[member] = parameters[f"CopySource{member}"]
        try:
            # First for its permission; what is found then is what is copied.
            await self._client("s3", "HeadObject", caller, named)
            version = await self._lookup.find_version(bucket, key, version_id, "GET")
        except MethodNotAllowed:
            raise InvalidRequest(
                "The source of a copy request may not specifically refer to a delete marker by version id."
            ) from None
        check_copy_source(parameters, version, self._clock.now())
        check_readable(version, self._clock.now(), _NOT_AT_HAND)
        opening = await self._encryptions.key_of(
            caller, bucket, version.encryption, parameters, source="CopySource"
        )
        return _Source(bucket, version, opening)

    async def _copied(
        self, source: _Source, algorithm: str | None, sealing: Sealing
    ) -> tuple[ObjectVersion, Content]:
        """The same bytes as one content: shared where they are one already, sealed neither here nor there, and their
        checksum is known. The version does not name it yet."""
        version = source.version
        wanted = algorithm or next(iter(version.checksums), DEFAULT)
        nonce, seal = sealing.begin()
        try:
            if (
                version.content is not None
                and source.key is None
                and seal is None
                and wanted in version.checksums
                and version.checksum_type == "FULL_OBJECT"
            ):
                return version, await self._contents.share(version.content)
            digest = BodyDigest({}, also=(wanted,))
            body = await self._files.read(version, source.everything, source.key)
            content = await self._contents.receive(body, digest, seal)
        except ContentMissingError:
            raise NoSuchKey(Key=version.key) from None
        except StoreFullError:
            raise SlowDown() from None
        copied = replace(
            version,
            nonce=nonce,
            parts_of=None,
            part_count=None,
            etag=digest.etag,
            checksums=digest.checksums,
            checksum_type="FULL_OBJECT",
        )
        return copied, content


def read_source(text: str) -> tuple[str, str, str | None]:
    """Bucket, key, version id: of text that may be encoded as a whole, its slashes too. Raises InvalidArgument."""
    path, _, version_id = text.partition("?versionId=")
    try:
        bucket, slash, key = unquote(path, errors="strict").removeprefix("/").partition("/")
    except UnicodeDecodeError:
        bucket, slash, key = "", "", ""
    if not slash and bucket:
        raise InvalidArgument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            ArgumentName="x-amz-copy-source",
            ArgumentValue=text,
        )
    if not bucket or not key or "\0" in key:
        raise InvalidArgument(
            "Invalid copy source object key",
            ArgumentName="x-amz-copy-source",
            ArgumentValue="x-amz-copy-source",
        )
    if bucket.startswith("arn:"):
        raise InvalidArgument(
            "Invalid copy source bucket name", ArgumentName="x-amz-copy-source", ArgumentValue=text
        )
    return bucket, key, unquote(version_id) or None


def _properties(parameters: Parameters, source: ObjectVersion) -> ObjectProperties:
    """The source's, or those that the request brings, as its directives say; the storage class and a redirect
    are always its own."""
    metadata = parameters.get("MetadataDirective") or "COPY"
    tagging = parameters.get("TaggingDirective") or "COPY"
    for directive, header in ((metadata, "metadata"), (tagging, "tagging")):
        if directive not in ("COPY", "REPLACE"):
            raise InvalidArgument(
                f"Unknown {header} directive.",
                ArgumentName=f"x-amz-{header}-directive",
                ArgumentValue=directive,
            )
    given = read_properties({**parameters, "Tagging": None}) if metadata == "REPLACE" else source.properties
    tags = parse_tag_header(parameters.get("Tagging")) if tagging == "REPLACE" else source.properties.tags
    headers = {name: value for name, value in given.headers.items() if name != REDIRECT}
    headers |= read_redirect(parameters)
    return replace(given, headers=headers, tags=tags, storage_class=read_storage_class(parameters))


def _refuse_copy_to_itself(parameters: Parameters, bucket: Bucket, source: _Source) -> None:
    same = (source.bucket.name, source.version.key) == (bucket.name, parameters["Key"])
    version_named = "?versionId=" in parameters["CopySource"]
    encrypted = "ServerSideEncryptionConfiguration" in bucket.configurations
    changes = (
        encrypted
        or source.version.encryption is not None
        or parameters.get("WebsiteRedirectLocation") is not None
        or parameters.get("MetadataDirective") == "REPLACE"
        or parameters.get("ServerSideEncryption") is not None
        or parameters.get("SSECustomerKey") is not None
        or "StorageClass" in parameters
        or source.version.properties.storage_class != read_storage_class(parameters)
        or parameters.get("ChecksumAlgorithm") is not None
    )
    if same and not changes and not version_named:
        raise InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself without changing the"
            " object's metadata, storage class, website redirect location or encryption attributes."
        )


def _copy_range(text: str | None, source: ObjectVersion) -> ByteRange:
    """Raises InvalidArgument, InvalidRange: unlike a range that is read, it must be one and lie within."""
    if text is None:
        return ByteRange(0, source.size - 1)
    try:
        taken = read_range(text, source.size)
    except InvalidRange:
        taken = None
    first, _, last = text.removeprefix("bytes=").partition("-")
    if not (text.startswith("bytes=") and first.isdigit() and last.isdigit() and int(first) <= int(last)):
        raise InvalidArgument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the"
            " zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=text,
        )
    if int(first) >= source.size:
        raise InvalidRequest("The specified copy range is invalid for the source object size")
    if taken is None or int(last) >= source.size:
        raise InvalidArgument(
            f"Range specified is not valid for source object of size: {source.size}",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=text,
        )
    return taken
