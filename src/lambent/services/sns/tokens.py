"""Tokens that confirm a subscription: whoever was sent one owns the endpoint."""

import binascii
import hmac
import json
from hashlib import blake2b

_SEAL_BYTES = 32
_VALID_MS = 3 * 86_400_000


class ConfirmationTokens:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret[:64]

    def make(self, subscription_arn: str, now: int, *, document: str = "") -> str:
        """`document` is what is to be restored by the token; nothing for what is only to be confirmed."""
        claims = json.dumps([subscription_arn, now + _VALID_MS, document]).encode()
        return (self._seal(claims) + claims).hex()

    def read(self, token: str, now: int) -> tuple[str, str] | None:
        """The subscription's ARN and the document; None for what is not ours, or too old."""
        try:
            raw = binascii.unhexlify(token)
        except (binascii.Error, ValueError):
            return None
        seal, claims = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(claims)):
            return None
        arn, valid_until, document = json.loads(claims)
        return (str(arn), str(document)) if now < valid_until else None

    def _seal(self, claims: bytes) -> bytes:
        return blake2b(claims, digest_size=_SEAL_BYTES, key=self._secret).digest()
