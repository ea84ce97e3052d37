"""A text under a data key: AES-256 in GCM, as AWS has it at rest. Text again, for it is stored where text was."""

from base64 import b64decode, b64encode
from os import urandom

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


def seal(key: bytes, text: str) -> str:
    nonce = urandom(_NONCE_BYTES)
    return b64encode(nonce + AESGCM(key).encrypt(nonce, text.encode(), None)).decode()


def unseal(key: bytes, sealed: str) -> str:
    """Raises cryptography.exceptions.InvalidTag where it was changed, or sealed by another key."""
    raw = b64decode(sealed)
    return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode()
