"""What makes an object of an upload's parts: which of them, in which order, and that they are what the client means."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import md5
from itertools import pairwise
from typing import Any

from lambent.model.bucket import Bucket
from lambent.model.caller import Parameters
from lambent.model.stored_object import ChecksumType, ObjectVersion, Part, Upload
from lambent.services.s3.checksums import (
    ALGORITHMS,
    DEFAULT,
    combined,
    composite,
    given_checksums_of_whole,
    member_of,
)
from lambent.services.s3.conditions import unquoted
from lambent.services.s3.errors import (
    BadDigest,
    EntityTooSmall,
    InvalidPart,
    InvalidPartOrder,
    InvalidRequest,
    MalformedXML,
)
from lambent.services.s3.object_lock import completed_lock
from lambent.services.s3.writing import version_id_for

PART_BYTES_LEAST = 5 * 1024**2


def assemble(upload: Upload, wanted: Sequence[Mapping[str, Any]], stored: Mapping[int, Part]) -> list[Part]:
    """The parts in their order, with their positions. Raises what is wrong with the list of them."""
    if not wanted:
        raise MalformedXML()
    numbers = [one.get("PartNumber", 0) for one in wanted]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise InvalidPartOrder(UploadId=upload.id)
    parts: list[Part] = []
    position = 0
    for one, number in zip(wanted, numbers, strict=True):
        part = stored.get(number)
        etag = unquoted(one.get("ETag", ""))
        if part is None or etag != part.etag or not _has_checksum(upload, one, part):
            raise InvalidPart(UploadId=upload.id, PartNumber=number, ETag=etag)
        parts.append(replace(part, position=position))
        position += part.size
    for part in parts[:-1]:
        if part.size < PART_BYTES_LEAST:
            raise EntityTooSmall(
                ProposedSize=part.size,
                MinSizeAllowed=PART_BYTES_LEAST,
                PartNumber=part.number,
                ETag=part.etag,
            )
    return parts


def _has_checksum(upload: Upload, one: Mapping[str, Any], part: Part) -> bool:
    """Whether a part's checksum is the one that is given. A composite checksum is made of such, so they must be."""
    for algorithm in ALGORITHMS:
        given = one.get(member_of(algorithm))
        if given is not None and given != part.checksums.get(algorithm):
            return False
    name = upload.checksum_algorithm
    if name is not None and upload.checksum_type == "COMPOSITE" and member_of(name) not in one:
        raise InvalidRequest(
            f"The upload was created using a {name.lower()} checksum. The complete request must include the checksum"
            f" for each part. It was missing for part {part.number} in the request."
        )
    return True


def check_whole(parameters: Parameters, version: ObjectVersion) -> None:
    size = parameters.get("MpuObjectSize")
    if size is not None and int(size) != version.size:
        raise InvalidRequest(
            f"The provided 'x-amz-mp-object-size' header value {size} does not match what was computed:"
            f" {version.size}"
        )
    for name, value in given_checksums_of_whole(parameters).items():
        actual = version.checksums.get(name)
        if actual is None or value not in (actual, actual.partition("-")[0]):
            raise BadDigest(f"The {name.lower()} you specified did not match the calculated checksum.")


def check_type(upload: Upload, parameters: Parameters) -> None:
    asked = parameters.get("ChecksumType")
    actual = upload.checksum_type or "FULL_OBJECT"
    if asked is not None and asked != actual:
        raise InvalidRequest(
            f"The upload was created using the {actual} checksum mode. The complete request must use the same"
            " checksum mode."
        )


def completed_version(bucket: Bucket, upload: Upload, parts: Sequence[Part], now: float) -> ObjectVersion:
    digests = b"".join(bytes.fromhex(part.etag) for part in parts)
    algorithm = ALGORITHMS[upload.checksum_algorithm or DEFAULT]
    kind: ChecksumType = upload.checksum_type or "FULL_OBJECT"
    values = [part.checksums[algorithm.name] for part in parts]
    if kind == "COMPOSITE":
        checksum = composite(algorithm, values)
    else:
        checksum = combined(
            algorithm, [(value, part.size) for value, part in zip(values, parts, strict=True)]
        )
    return ObjectVersion(
        bucket=bucket.name,
        key=upload.key,
        version_id=version_id_for(bucket),
        modified_at=now,
        size=sum(part.size for part in parts),
        etag=f"{md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}",
        parts_of=upload.id,
        part_count=len(parts),
        properties=upload.properties,
        checksums={algorithm.name: checksum},
        checksum_type=kind,
        lock=completed_lock(bucket, upload.lock, now),
        encryption=upload.encryption,
        acl=upload.acl,
    )
