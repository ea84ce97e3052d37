"""What a request says of an object beside its bytes: read from the parameters, and answered again."""

from collections.abc import Mapping
from typing import Any

from lambent.model.caller import Parameters
from lambent.model.stored_object import ObjectProperties
from lambent.services.s3.errors import InvalidRedirectLocation, MetadataTooLarge, unsupported
from lambent.services.s3.storage_classes import STANDARD, read_storage_class
from lambent.services.s3.tags import parse_tag_header
from lambent.wire.timestamps import epoch_seconds

_HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
)
REDIRECT = "WebsiteRedirectLocation"
"""Kept and answered like other metadata: there are no websites that would follow it."""
_DEFAULT_TYPE = "binary/octet-stream"
_METADATA_BYTES_MOST = 2048


def read_properties(parameters: Parameters) -> ObjectProperties:
    """Raises MetadataTooLarge, InvalidStorageClass, InvalidTag, NotImplemented."""
    _refuse_unsupported(parameters)
    headers = {member: parameters[member] for member in _HEADERS if parameters.get(member)}
    headers.setdefault("ContentType", _DEFAULT_TYPE)
    headers |= read_redirect(parameters)
    return ObjectProperties(
        headers=headers,
        expires_at=float(epoch_seconds(parameters["Expires"])) if "Expires" in parameters else None,
        metadata=_read_metadata(parameters.get("Metadata") or {}),
        tags=parse_tag_header(parameters.get("Tagging")),
        storage_class=read_storage_class(parameters),
    )


def property_members(properties: ObjectProperties) -> Parameters:
    """As GetObject and HeadObject have them."""
    members: dict[str, Any] = dict(properties.headers)
    members["Metadata"] = dict(properties.metadata)
    if properties.expires_at is not None:
        members["Expires"] = properties.expires_at
    if properties.storage_class != STANDARD:
        members["StorageClass"] = properties.storage_class
    return members


def read_redirect(parameters: Parameters) -> dict[str, str]:
    """Raises InvalidRedirectLocation."""
    location = parameters.get(REDIRECT)
    if not location:
        return {}
    if not location.startswith(("/", "http://", "https://")):
        raise InvalidRedirectLocation()
    return {REDIRECT: location}


def _refuse_unsupported(parameters: Parameters) -> None:
    if "WriteOffsetBytes" in parameters:
        raise unsupported("appending to objects.")


def _read_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    size = sum(len(key.encode()) + len(value.encode()) for key, value in metadata.items())
    if size > _METADATA_BYTES_MOST:
        raise MetadataTooLarge(Size=size, MaxSizeAllowed=_METADATA_BYTES_MOST)
    return {key.lower(): value for key, value in metadata.items()}
