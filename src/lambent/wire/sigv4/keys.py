"""Signing keys: derived by four HMACs from a secret and a scope, and kept, as a client signs with one all
day."""

import hmac
from functools import lru_cache

_KEPT = 1024


class SigningKey:
    """`raw` is the key itself. The first half of its HMAC is made once, and copied for each text."""

    __slots__ = ("_begun", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._begun = hmac.new(raw, digestmod="sha256")

    def sign(self, text: str) -> str:
        """In hexadecimal. `text` is Latin-1."""
        signing = self._begun.copy()
        signing.update(text.encode("latin-1"))
        return signing.hexdigest()


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
