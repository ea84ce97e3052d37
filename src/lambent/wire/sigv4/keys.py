"""Signing keys: derived by four HMACs from a secret and a scope, and kept, as a client signs with one all
day."""

import hmac
from functools import lru_cache

_KEPT = 1024


class SigningKeys:
    """The keys derived last. The secret is part of what a key is kept by: a changed secret finds nothing
    old."""

    def __init__(self, kept: int = _KEPT) -> None:
        self.find = lru_cache(maxsize=kept)(derive_signing_key)


def derive_signing_key(secret_access_key: str, date: str, region: str, service: str) -> bytes:
    key = hmac.digest(f"AWS4{secret_access_key}".encode(), date.encode("latin-1"), "sha256")
    for part in (region, service, "aws4_request"):
        key = hmac.digest(key, part.encode("latin-1"), "sha256")
    return key
