"""Bodies in Content-Encoding aws-chunked: pieces with a signature each, chained to the request's own, and
trailers.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
sigv4-streaming-trailers.html.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
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
_TRAILER_COUNT_MOST = 32


@dataclass(slots=True)
class ChunkSignatures:
    """The chain of signatures through one body: each covers the one before it. `previous` begins as the
    request's."""

    key: bytes
    timestamp: str
    scope: str
    previous: str

    def check_chunk(self, data_sha256: str, signature: str) -> None:
        self._check("AWS4-HMAC-SHA256-PAYLOAD", f"{_EMPTY_SHA256}\n{data_sha256}", signature)

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
    decoder = open_packing(request, signatures)
    body = decoder.feed(request.body)
    decoder.finish()
    headers = request.headers
    for name, value in decoder.trailers.items():
        if name in headers:
            raise _malformed(f"The trailer {name} is a header, too.")
        headers[name] = value
    headers["content-length"] = str(len(body))
    request.body = body


def open_packing(request: Request, signatures: ChunkSignatures | None) -> "ChunkDecoder":
    """What unpacks the body; the headers are as if it had never been packed. Raises SignatureError."""
    headers = request.headers
    mode = headers.get("x-amz-content-sha256", "")
    if mode not in _SIGNED and mode not in _WITH_TRAILER:
        raise SignatureError(Fault.INCOMPLETE, f"The payload signing '{mode}' is not offered.")
    codings = [one.strip() for one in headers.pop("content-encoding", "").split(",")]
    kept = [one for one in codings if one and one.lower() != "aws-chunked"]
    if kept:
        headers["content-encoding"] = ",".join(kept)
    declared = headers.pop("x-amz-decoded-content-length", None)
    if declared is not None:
        headers["content-length"] = declared
    return ChunkDecoder(
        signatures if mode in _SIGNED else None,
        announced=_announced(headers) if mode in _WITH_TRAILER else None,
        declared=declared,
    )


def _announced(headers: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in headers.get("x-amz-trailer", "").split(","))


class _State(Enum):
    SIZE = "at the line with a chunk's size"
    DATA = "in a chunk"
    DATA_END = "at the end of the line behind a chunk"
    TRAILER = "at a line of the trailers"
    END = "behind all of it"


class ChunkDecoder:
    """Unpacks a body as it comes, in pieces of any size. `announced` are the trailers that may follow it, None where
    none can; `declared` is the length that was announced."""

    def __init__(
        self,
        signatures: ChunkSignatures | None,
        *,
        announced: frozenset[str] | None,
        declared: str | None = None,
    ) -> None:
        self.trailers: dict[str, str] = {}
        self._signatures = signatures
        self._announced = announced
        self._declared = declared
        self._state = _State.SIZE
        self._line = b""
        self._left = 0
        self._hash = sha256()
        self._chunk_signature = ""
        self._trailer_signature: str | None = None
        self._size = 0

    def feed(self, packed: bytes) -> bytes:
        """What was packed in it. Raises SignatureError."""
        pieces: list[bytes] = []
        at = 0
        while at < len(packed):
            if self._state is _State.DATA:
                piece = packed[at : at + self._left]
                at += len(piece)
                self._take(piece)
                pieces.append(piece)
            elif self._state is _State.END:
                if packed[at:].strip(b"\r\n"):
                    raise _malformed("The body goes on after its last chunk.")
                break
            else:
                at = self._read_line(packed, at)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def finish(self) -> None:
        """The last byte was fed. Raises SignatureError where something is missing."""
        if self._state is _State.TRAILER and not self._line and self._announced is None:
            self._end_trailers()  # without trailers, the empty line behind them may be left out
        if self._state is not _State.END:
            within = self._state in (_State.DATA, _State.DATA_END)
            raise _malformed(
                "The body ends within a chunk." if within else "The body ends before its last chunk."
            )
        if self._declared is not None and self._declared != str(self._size):
            raise _malformed("The body has not the length that x-amz-decoded-content-length says.")

    def _read_line(self, packed: bytes, at: int) -> int:
        """Takes what there is of a line; where it is whole, acts on it. Returns where it ended."""
        end = packed.find(b"\n", at)
        most = _TRAILERS_MOST if self._state is _State.TRAILER else _SIZE_LINE_MOST
        stop = len(packed) if end < 0 else end + 1
        self._line += packed[at : min(stop, at + most + 2)]
        if len(self._line) > most + 2:
            raise _malformed("A line of the body is too long.")
        if end < 0:
            return stop
        if not self._line.endswith(b"\r\n"):
            raise _malformed("A line of the body does not end as it should.")
        line, self._line = self._line[:-2].decode("latin-1"), b""
        match self._state:
            case _State.SIZE:
                self._begin_chunk(line)
            case _State.DATA_END:
                if line:
                    raise _malformed("The body ends within a chunk.")
                self._state = _State.SIZE
            case _:
                self._read_trailer(line)
        return stop

    def _begin_chunk(self, line: str) -> None:
        size_text, _, extension = line.partition(";")
        self._left = _read_size(size_text)
        if self._signatures is not None:
            name, _, signature = extension.partition("=")
            if name.strip() != "chunk-signature":
                raise _malformed("A chunk of the body is not signed.")
            self._chunk_signature = signature.strip()
            self._hash = sha256()
        if self._left:
            self._state = _State.DATA
            return
        self._end_chunk()
        self._state = _State.TRAILER

    def _take(self, piece: bytes) -> None:
        self._left -= len(piece)
        self._size += len(piece)
        if self._signatures is not None:
            self._hash.update(piece)
        if not self._left:
            self._end_chunk()
            self._state = _State.DATA_END

    def _end_chunk(self) -> None:
        if self._signatures is not None:
            self._signatures.check_chunk(self._hash.hexdigest(), self._chunk_signature)

    def _read_trailer(self, line: str) -> None:
        """The last of them, where chunks are signed, is the signature of the others."""
        if not line.strip():
            self._end_trailers()
            return
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or name in self.trailers or len(self.trailers) > _TRAILER_COUNT_MOST:
            raise _malformed("The trailers of the body cannot be read.")
        if self._announced is None:
            raise _malformed("The body goes on after its last chunk.")
        if name == "x-amz-trailer-signature":
            self._trailer_signature = value.strip()
        elif name in self._announced:
            self.trailers[name] = value.strip()
        else:
            raise _malformed(f"The trailer {name} is not announced by x-amz-trailer.")

    def _end_trailers(self) -> None:
        self._state = _State.END
        if self._signatures is None or self._announced is None:
            return
        if self._trailer_signature is None:
            raise _malformed("The trailers of the body are not signed.")
        text = "".join(f"{name}:{self.trailers[name]}\n" for name in sorted(self.trailers))
        self._signatures.check_trailers(text, self._trailer_signature)


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
