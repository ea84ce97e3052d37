"""Everything that is computed of a body while it is written: its ETag, its checksums, its size; and what they are
held to."""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any

from lambent.model.caller import Parameters
from lambent.services.s3.checksums import (
    ALGORITHMS,
    DEFAULT,
    announced_algorithm,
    asked_algorithm,
    encode,
    given_checksums,
    is_value,
)
from lambent.services.s3.errors import BadDigest, EntityTooLarge, InvalidDigest, InvalidRequest

SINGLE_MOST = 5 * 1024**3
_MD5_BYTES = 16


class BodyDigest:
    """ports.contents.Digest. `etag`, `checksums` and `size` are there once it has finished.

    `trailers` are asked for behind the last byte."""

    def __init__(
        self,
        expected: Mapping[str, str],
        *,
        announced: str | None = None,
        also: tuple[str, ...] = (),
        content_md5: str | None = None,
        trailers: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.etag = ""
        self.size = 0
        self.checksums: dict[str, str] = {}
        self._expected = dict(expected)
        self._announced = announced
        self._content_md5 = _read_content_md5(content_md5)
        self._trailers = trailers
        self._md5 = hashlib.md5(usedforsecurity=False)
        names = dict.fromkeys((*expected, *((announced,) if announced else ()), *also))
        self._running = {name: ALGORITHMS[name].new() for name in names or (DEFAULT,)}

    def update(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > SINGLE_MOST:
            raise EntityTooLarge(ProposedSize=self.size, MaxSizeAllowed=SINGLE_MOST)
        self._md5.update(data)
        for checksum in self._running.values():
            checksum.update(data)

    def finish(self) -> None:
        """Raises BadDigest, InvalidRequest."""
        self.etag = self._md5.hexdigest()
        self.checksums = {name: encode(checksum.digest()) for name, checksum in self._running.items()}
        if self._announced is not None and self._announced not in self._expected:
            self._expected[self._announced] = _trailing(self._announced, self._trailers())
        if self._content_md5 is not None and self._content_md5 != self._md5.digest():
            raise BadDigest(
                "The Content-MD5 you specified did not match what we received.",
                ExpectedDigest=self._content_md5.hex(),
                CalculatedDigest=b64encode(self._md5.digest()).decode(),
            )
        for name, value in self._expected.items():
            if self.checksums[name] != value:
                raise BadDigest(f"The {name} you specified did not match the calculated checksum.")


def digest_of(
    parameters: Parameters, headers: Mapping[str, str], body: Any, *, also: tuple[str, ...] = ()
) -> BodyDigest:
    """Of PutObject's or UploadPart's body. Raises InvalidRequest, InvalidDigest."""
    given = given_checksums(parameters)
    announced = None if given else announced_algorithm(headers)
    asked = asked_algorithm(parameters)
    if asked is not None and not given and announced is None and "authorization" in headers:
        raise InvalidRequest(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers"
            " were found."
        )
    if asked is not None and given and asked not in given:
        raise InvalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.")
    return BodyDigest(
        given,
        announced=announced,
        also=also,
        content_md5=parameters.get("ContentMD5"),
        trailers=lambda: getattr(body, "trailers", {}),
    )


def _trailing(name: str, trailers: Mapping[str, str]) -> str:
    header = f"x-amz-checksum-{name.lower()}"
    value = trailers.get(header)
    if value is None or not is_value(ALGORITHMS[name], value):
        raise InvalidRequest(f"Value for {header} trailing header is invalid.")
    return value


def _read_content_md5(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        digest = b64decode(text, validate=True)
    except ValueError:
        digest = b""
    if len(digest) != _MD5_BYTES:
        raise InvalidDigest(**{"Content-MD5": text})
    return digest
