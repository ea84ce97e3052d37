"""Small secrets, encrypted with a key of the server's before they are stored: of connections, of access keys."""

import os
from base64 import b64decode, b64encode
from typing import Any

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class Sealing:
    """`key` has 32 bytes. What is sealed for one `owner` does not open for another."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, parameters: dict[str, Any], owner: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._key).encrypt(nonce, orjson.dumps(parameters), owner.encode())
        return b64encode(nonce + sealed).decode()

    def open(self, text: str, owner: str) -> dict[str, Any]:
        """Raises cryptography's InvalidTag: the database was changed by hand, or is another server's."""
        raw = b64decode(text)
        opened = AESGCM(self._key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner.encode())
        parameters: dict[str, Any] = orjson.loads(opened)
        return parameters
