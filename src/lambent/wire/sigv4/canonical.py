"""The canonical request: the one text that client and server both make of a request, to sign it.

Everything here is Latin-1: each character stands for one byte as it was sent.
"""

import re
from urllib.parse import quote, unquote_to_bytes

from lambent.http.message import Request
from lambent.wire.sigv4.authorization import Claim

S3_SIGNING_NAMES = frozenset({"s3", "s3express", "s3-object-lambda", "s3-outposts"})
"""Signing names whose paths are object keys: encoded once, never normalized."""

_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?|/")
_PLAIN_S3_PATH = re.compile(r"[A-Za-z0-9._~/-]+")
_PLAIN = re.compile(r"[A-Za-z0-9._~-]*")


def canonical_request(request: Request, claim: Claim, payload_hash: str, *, s3: bool, presigned: bool) -> str:
    get = request.headers.get
    headers = "".join([f"{name}:{get(name, '')}\n" for name in claim.signed_headers])
    if "  " in headers or "\t" in headers:
        headers = "".join([f"{name}:{_spaced_once(get(name, ''))}\n" for name in claim.signed_headers])
    path = _s3_path(request.path) if s3 else _path(request.path)
    query = canonical_query(request.query, presigned=presigned) if request.query else ""
    return f"{request.method}\n{path}\n{query}\n{headers}\n{claim.signed_text}\n{payload_hash}"


def canonical_query(query: str, *, presigned: bool) -> str:
    """Sorted by encoded name, then encoded value; a presigned URL's own signature is left out."""
    pairs = []
    for part in query.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        if presigned and name == "X-Amz-Signature":
            continue
        pairs.append((_encoded_once(name), _encoded_once(value)))
    pairs.sort()
    return "&".join([f"{name}={value}" for name, value in pairs])


def _path(path: str) -> str:
    """Normalized, then encoded again on top of the encoding that it was sent in."""
    if _PLAIN_PATH.fullmatch(path):
        return path
    return quote(_without_dots(path), safe="/~", encoding="latin-1")


def _s3_path(path: str) -> str:
    if _PLAIN_S3_PATH.fullmatch(path):
        return path
    return quote(unquote_to_bytes(path.encode("latin-1")), safe="/~") or "/"


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4, and repeated slashes merged."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            if kept:
                kept.pop()
        elif segment and segment != ".":
            kept.append(segment)
    trailing = "/" if kept and path.endswith("/") else ""
    return f"/{'/'.join(kept)}{trailing}"


def _encoded_once(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return quote(unquote_to_bytes(text.encode("latin-1")), safe="~")


def _spaced_once(value: str) -> str:
    """Runs of white space, also those that a folded line leaves, count as one space."""
    return " ".join(value.split())
