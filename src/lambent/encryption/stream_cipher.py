"""Bytes of a file under a data key: AES-256 in counter mode, so that a range is read without what stands before it."""

from os import urandom

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

_BLOCK = 16
_COUNTERS = 1 << 128


def new_nonce() -> bytes:
    """For one file: under one key, no two may begin alike."""
    return urandom(_BLOCK)


class StreamCipher:
    """Seals and opens alike, piece by piece, from the byte `offset` of the file on."""

    def __init__(self, key: bytes, nonce: bytes, offset: int = 0) -> None:
        counter = (int.from_bytes(nonce, "big") + offset // _BLOCK) % _COUNTERS
        self._context = Cipher(AES256(key), CTR(counter.to_bytes(_BLOCK, "big"))).encryptor()
        self._context.update(bytes(offset % _BLOCK))

    def update(self, piece: bytes) -> bytes:
        return self._context.update(piece)
