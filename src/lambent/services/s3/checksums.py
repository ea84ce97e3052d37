"""Checksums of objects: what clients say of what they send, and what is stored and answered.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import xxhash

from lambent.model.caller import Parameters
from lambent.services.s3 import crc
from lambent.services.s3.errors import InvalidRequest

Kind = Literal["FULL_OBJECT", "COMPOSITE"]


class Checksum(Protocol):
    def update(self, data: bytes) -> None: ...

    def digest(self) -> bytes: ...


class _Crc:
    def __init__(self, run: Callable[[bytes, int], int], size: int) -> None:
        self._run = run
        self._size = size
        self._value = 0

    def update(self, data: bytes) -> None:
        self._value = self._run(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


@dataclass(frozen=True, slots=True)
class Algorithm:
    """`kinds` are the types that a multipart upload may ask for, its default first; `polynomial` is a CRC's."""

    name: str
    new: Callable[[], Checksum]
    size: int
    kinds: tuple[Kind, ...]
    polynomial: crc.Polynomial | None = None


def _hash(name: str) -> Callable[[], Checksum]:
    return lambda: hashlib.new(name, usedforsecurity=False)


_BOTH: tuple[Kind, ...] = ("COMPOSITE", "FULL_OBJECT")
_ALL = (
    Algorithm("CRC32", lambda: _Crc(crc.crc32, 4), 4, _BOTH, crc.CRC32),
    Algorithm("CRC32C", lambda: _Crc(crc.crc32c, 4), 4, _BOTH, crc.CRC32C),
    Algorithm("CRC64NVME", lambda: _Crc(crc.crc64nvme, 8), 8, ("FULL_OBJECT",), crc.CRC64NVME),
    Algorithm("SHA1", _hash("sha1"), 20, ("COMPOSITE",)),
    Algorithm("SHA256", _hash("sha256"), 32, ("COMPOSITE",)),
    Algorithm("SHA512", _hash("sha512"), 64, ("COMPOSITE",)),
    Algorithm("MD5", _hash("md5"), 16, ("COMPOSITE",)),
    Algorithm("XXHASH64", xxhash.xxh64, 8, ("COMPOSITE",)),
    Algorithm("XXHASH3", xxhash.xxh3_64, 8, ("COMPOSITE",)),
    Algorithm("XXHASH128", xxhash.xxh3_128, 16, ("COMPOSITE",)),
)
ALGORITHMS: Mapping[str, Algorithm] = {algorithm.name: algorithm for algorithm in _ALL}
_MEMBERS: Mapping[str, str] = {f"Checksum{name}": name for name in ALGORITHMS}
DEFAULT = "CRC64NVME"
"""What S3 computes where the client says nothing."""

_TRAILER = "x-amz-checksum-"


def member_of(algorithm: str) -> str:
    """How the service model calls the value: ChecksumCRC32."""
    return f"Checksum{algorithm}"


def given_checksums(parameters: Parameters) -> dict[str, str]:
    """By algorithm; there is one at most. Raises InvalidRequest."""
    given = given_checksums_of_whole(parameters)
    if len(given) > 1:
        raise InvalidRequest(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    for name, value in given.items():
        if not is_value(ALGORITHMS[name], value):
            raise InvalidRequest(f"Value for x-amz-checksum-{name.lower()} header is invalid.")
    return given


def given_checksums_of_whole(parameters: Parameters) -> dict[str, str]:
    """Those of CompleteMultipartUpload, which may say how many parts they are made of."""
    return {_MEMBERS[member]: parameters[member] for member in parameters if member in _MEMBERS}


def announced_algorithm(headers: Mapping[str, str]) -> str | None:
    """The algorithm whose value will stand behind the body, in a trailer. Raises InvalidRequest."""
    announced = headers.get("x-amz-trailer", "").strip().lower()
    if not announced:
        return None
    name = announced.removeprefix(_TRAILER).upper()
    if not announced.startswith(_TRAILER) or name not in ALGORITHMS:
        raise InvalidRequest("The value specified in the x-amz-trailer header is not supported")
    return name


def asked_algorithm(parameters: Parameters) -> str | None:
    """x-amz-sdk-checksum-algorithm, or that of CreateMultipartUpload and CopyObject. Raises InvalidRequest."""
    name = parameters.get("ChecksumAlgorithm")
    if name is None:
        return None
    name = str(name).upper()
    if name not in ALGORITHMS:
        raise InvalidRequest(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types:"
            " [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
        )
    return name


def is_value(algorithm: Algorithm, value: str) -> bool:
    try:
        return len(b64decode(value, validate=True)) == algorithm.size
    except ValueError:
        return False


def encode(digest: bytes) -> str:
    return b64encode(digest).decode()


def checksum_members(checksums: Mapping[str, str], kind: str | None) -> Parameters:
    """As outputs have them."""
    members: Parameters = {member_of(name): value for name, value in checksums.items()}
    if members and kind is not None:
        members["ChecksumType"] = kind
    return members


def composite(algorithm: Algorithm, parts: list[str]) -> str:
    """The checksum of the parts' checksums, and how many they were."""
    whole = algorithm.new()
    for part in parts:
        whole.update(b64decode(part))
    return f"{encode(whole.digest())}-{len(parts)}"


def combined(algorithm: Algorithm, parts: list[tuple[str, int]]) -> str:
    """The checksum of all bytes, from that of each part and its size: what CRCs can and hashes cannot."""
    assert algorithm.polynomial is not None
    value = 0
    for text, size in parts:
        value = crc.combine(algorithm.polynomial, value, int.from_bytes(b64decode(text), "big"), size)
    return encode(value.to_bytes(algorithm.size, "big"))
