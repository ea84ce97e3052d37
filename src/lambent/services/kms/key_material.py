"""Materials of keys under the server's own key, and data under symmetric keys: AES-256 in Galois/Counter Mode.

A ciphertext says which key and which of its materials made it, so that Decrypt needs no key id:
    1 byte 0x4c · 16 bytes key id (a UUID) · 4 bytes number of the material · 12 bytes nonce · the data and 16 bytes tag
What comes before the nonce and the encryption context are authenticated with the data.
"""

import hashlib
import json
import os
import struct
import uuid
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lambent.model.kms import Key
from lambent.services.kms.errors import InvalidCiphertextException

_FORMAT = 0x4C
_HEADER = struct.Struct("!B16sI")
_NONCE_BYTES = 12
SYMMETRIC_BYTES = 32

EncryptionContext = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Header:
    key_id: str
    material: int


def header_of(ciphertext: bytes) -> Header:
    """Raises InvalidCiphertextException."""
    if len(ciphertext) < _HEADER.size + _NONCE_BYTES + 16 or ciphertext[0] != _FORMAT:
        raise InvalidCiphertextException
    _, raw, material = _HEADER.unpack_from(ciphertext)
    return Header(str(uuid.UUID(bytes=raw)), material)


class KeyMaterial:
    """`secret` wraps every key: without the server's master key, its database tells nothing."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @cached_property
    def _wrapping(self) -> AESGCM:
        return AESGCM(hashlib.sha256(b"kms keys" + self._secret).digest())

    def create(self, key_id: str) -> str:
        """A new material of a symmetric key, wrapped."""
        return self.wrap(key_id, os.urandom(SYMMETRIC_BYTES))

    def wrap(self, key_id: str, material: bytes) -> str:
        return b64encode(self.seal(key_id, material)).decode()

    def seal(self, purpose: str, content: bytes) -> bytes:
        """What nobody but this server can read, or take for something else."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, content, purpose.encode())

    def unseal(self, purpose: str, sealed: bytes) -> bytes:
        """Raises InvalidTag."""
        nonce, encrypted = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return self._wrapping.decrypt(nonce, encrypted, purpose.encode())

    def current(self, key: Key) -> bytes:
        """The material of a key that has one, as it is used."""
        return self._unwrap(key, -1)

    def fingerprint(self, key_id: str, material: bytes) -> str:
        """By which the same material is known again, and nothing else can be told of it."""
        return hashlib.blake2b(key_id.encode() + material, key=self._secret[:64], digest_size=32).hexdigest()

    def encrypt(self, key: Key, plaintext: bytes, context: EncryptionContext) -> bytes:
        number = len(key.materials) - 1
        header = _HEADER.pack(_FORMAT, uuid.UUID(key.id).bytes, number)
        nonce = os.urandom(_NONCE_BYTES)
        encrypted = self._cipher(key, number).encrypt(nonce, plaintext, header + _canonical(context))
        return header + nonce + encrypted

    def decrypt(self, key: Key, ciphertext: bytes, context: EncryptionContext) -> bytes:
        """Raises InvalidCiphertextException."""
        header = header_of(ciphertext)
        if header.material >= len(key.materials):
            raise InvalidCiphertextException
        nonce = ciphertext[_HEADER.size : _HEADER.size + _NONCE_BYTES]
        authenticated = ciphertext[: _HEADER.size] + _canonical(context)
        try:
            return self._cipher(key, header.material).decrypt(
                nonce, ciphertext[_HEADER.size + _NONCE_BYTES :], authenticated
            )
        except InvalidTag:
            raise InvalidCiphertextException from None

    def _cipher(self, key: Key, number: int) -> AESGCM:
        return AESGCM(self._unwrap(key, number))

    def _unwrap(self, key: Key, number: int) -> bytes:
        return self.unseal(key.id, b64decode(key.materials[number]))


def material_id(key: Key, number: int | None = None) -> str:
    """Names one of a key's materials (64 hexadecimal digits); the current one where no number is given."""
    which = len(key.materials) - 1 if number is None else number
    return hashlib.sha256(f"{key.id}/{which}".encode()).hexdigest()


def _canonical(context: EncryptionContext) -> bytes:
    return json.dumps(dict(context), sort_keys=True, separators=(",", ":")).encode()
