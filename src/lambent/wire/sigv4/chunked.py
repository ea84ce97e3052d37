"""Bodies in Content-Encoding aws-chunked: pieces with a signature each, chained to the request's own, and
trailers.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
sigv4-streaming-trailers.html.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256

from lambent.http.message import Request
from lambent.wire.sigv4.errors import Fault, SignatureError

STREAMING_PREFIX = "STREAMING-"
_UNSIGNED_WITH_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_SIGNED_WITH_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
_SIGNED = frozenset({"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", _SIGNED_WITH_TRAILER})
_WITH_TRAILER = frozenset({_SIGNED_WITH_TRAILER, _UNSIGNED_WITH_TRAILER})
_EMPTY_SHA256 = sha256(b"").hexdigest()
_SIZE_LINE_MOST = 1024
_TRAILERS_MOST = 16 * 1024


@dataclass(slots=True)
class ChunkSignatures:
    """The chain of signatures through one body: each covers the one before it. `previous` begins as the
    request's."""

    key: bytes
    timestamp: str
    scope: str
    previous: str

    def check_chunk(self, data: bytes, signature: str) -> None:
        self._check("AWS4-HMAC-SHA256-PAYLOAD", f"{_EMPTY_SHA256}\n{sha256(data).hexdigest()}", signature)

    def check_trailers(self, trailers: str, signature: str) -> None:
        self._check("AWS4-HMAC-SHA256-TRAILER", sha256(trailers.encode("latin-1")).hexdigest(), signature)

    def _check(self, algorithm: str, hashes: str, signature: str) -> None:
        text = f"{algorithm}\n{self.timestamp}\n{self.scope}\n{self.previous}\n{hashes}"
        expected = hmac.digest(self.key, text.encode("latin-1"), "sha256").hex()
        if not hmac.compare_digest(expected.encode(), signature.encode("latin-1")):
            raise SignatureError(
                Fault.MISMATCH,
                "The request signature we calculated does not match the signature you provided"
                " for a chunk of the body.",
                {"SignatureProvided": signature, "StringToSign": text},
            )
        self.previous = expected


def unpack_body(request: Request, signatures: ChunkSignatures | None) -> None:
    """Replaces the body by what was packed in it, and adds the announced trailers to the headers.

    `signatures` is None where they are not to be verified. Raises SignatureError."""
    mode = request.headers.get("x-amz-content-sha256", "")
    if mode not in _SIGNED and mode not in _WITH_TRAILER:
        raise SignatureError(Fault.INCOMPLETE, f"The payload signing '{mode}' is not offered.")
    reader = _ChunkReader(request.body, signatures if mode in _SIGNED else None)
    body = reader.read_chunks()
    trailers = reader.read_trailers() if mode in _WITH_TRAILER else {}
    reader.expect_end()
    headers = request.headers
    declared = headers.pop("x-amz-decoded-content-length", None)
    if declared is not None and declared != str(len(body)):
        raise _malformed("The body has not the length that x-amz-decoded-content-length says.")
    _add_trailers(headers, trailers)
    codings = [one.strip() for one in headers.pop("content-encoding", "").split(",")]
    kept = [one for one in codings if one and one.lower() != "aws-chunked"]
    if kept:
        headers["content-encoding"] = ",".join(kept)
    headers["content-length"] = str(len(body))
    request.body = body


def _add_trailers(headers: dict[str, str], trailers: dict[str, str]) -> None:
    announced = {name.strip().lower() for name in headers.get("x-amz-trailer", "").split(",")}
    for name, value in trailers.items():
        if name not in announced:
            raise _malformed(f"The trailer {name} is not announced by x-amz-trailer.")
        if name in headers:
            raise _malformed(f"The trailer {name} is a header, too.")
        headers[name] = value


class _ChunkReader:
    def __init__(self, packed: bytes, signatures: ChunkSignatures | None) -> None:
        self._packed = packed
        self._signatures = signatures
        self._at = 0

    def read_chunks(self) -> bytes:
        pieces: list[bytes] = []
        while True:
            data = self._read_chunk()
            if not data:
                return b"".join(pieces)
            pieces.append(data)

    def read_trailers(self) -> dict[str, str]:
        """By lower-case name. The last of them, where chunks are signed, is the signature of the others."""
        trailers: dict[str, str] = {}
        signature = None
        while line := self._read_line(_TRAILERS_MOST).strip():
            name, colon, value = line.partition(":")
            if not colon or name.lower() in trailers or len(trailers) > 32:
                raise _malformed("The trailers of the body cannot be read.")
            if name.lower() == "x-amz-trailer-signature":
                signature = value.strip()
            else:
                trailers[name.lower()] = value.strip()
        if self._signatures is not None:
            if signature is None:
                raise _malformed("The trailers of the body are not signed.")
            text = "".join(f"{name}:{trailers[name]}\n" for name in sorted(trailers))
            self._signatures.check_trailers(text, signature)
        return trailers

    def expect_end(self) -> None:
        if self._packed[self._at :].strip(b"\r\n"):
            raise _malformed("The body goes on after its last chunk.")

    def _read_chunk(self) -> bytes:
        size_text, _, extension = self._read_line(_SIZE_LINE_MOST).partition(";")
        size = _read_size(size_text)
        end = self._at + size
        data = self._packed[self._at : end]
        if len(data) < size or (size and self._packed[end : end + 2] != b"\r\n"):
            raise _malformed("The body ends within a chunk.")
        if self._signatures is not None:
            name, _, signature = extension.partition("=")
            if name.strip() != "chunk-signature":
                raise _malformed("A chunk of the body is not signed.")
            self._signatures.check_chunk(data, signature.strip())
        self._at = end + 2 if size else end
        return data

    def _read_line(self, most: int) -> str:
        end = self._packed.find(b"\r\n", self._at, self._at + most)
        if end < 0:
            raise _malformed("The body ends before its last chunk.")
        line = self._packed[self._at : end]
        self._at = end + 2
        return line.decode("latin-1")


def _read_size(text: str) -> int:
    try:
        # int() also takes signs, underscores and blanks
        if not text.isalnum() or len(text) > 12:
            raise ValueError(text)
        return int(text, 16)
    except ValueError:
        raise _malformed("The size of a chunk cannot be read.") from None


def _malformed(message: str) -> SignatureError:
    return SignatureError(Fault.PAYLOAD_MALFORMED, message)
