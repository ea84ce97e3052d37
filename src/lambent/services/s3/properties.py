"""What a request says of an object beside its bytes: read from the parameters, and answered again."""

from collections.abc import Mapping
from typing import Any

from lambent.model.caller import Parameters
from lambent.model.stored_object import ObjectProperties
from lambent.services.s3.errors import MetadataTooLarge, unsupported
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
_DEFAULT_TYPE = "binary/octet-stream"
_METADATA_BYTES_MOST = 2048


def read_properties(parameters: Parameters) -> ObjectProperties:
    """Raises MetadataTooLarge, InvalidStorageClass, InvalidTag, NotImplemented."""
    _refuse_unsupported(parameters)
    headers = {member: parameters[member] for member in _HEADERS if parameters.get(member)}
    headers.setdefault("ContentType", _DEFAULT_TYPE)
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


def _refuse_unsupported(parameters: Parameters) -> None:
    if parameters.get("WebsiteRedirectLocation"):
        raise unsupported("static websites, and so no redirects of them.")
    if "WriteOffsetBytes" in parameters:
        raise unsupported("appending to objects.")


def _read_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    size = sum(len(key.encode()) + len(value.encode()) for key, value in metadata.items())
    if size > _METADATA_BYTES_MOST:
        raise MetadataTooLarge(Size=size, MaxSizeAllowed=_METADATA_BYTES_MOST)
    return {key.lower(): value for key, value in metadata.items()}
