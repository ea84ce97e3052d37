"""Receipt handles: what a consumer shows to delete what it received, or to keep it for longer.

A handle says which message of which queue, and which of its receipts; it is sealed, so that only who received the
message has it.
"""

import struct
from binascii import a2b_base64, b2a_base64
from functools import cached_property
from hashlib import blake2b
from hmac import compare_digest

from lambent.store.ports.queue_messages import Receipt

_FIELDS = struct.Struct(">BQQI")
_VERSION = 1
_SEAL_BYTES = 16
_LAST_DIGITS = "AQgw"
"""Of the byte that is left over beside whole threes: with any other, two handles would be the same receipt."""


class ReceiptHandles:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @cached_property
    def _begun(self) -> blake2b:
        """Copied for each seal: the key is taken in once."""
        return blake2b(digest_size=_SEAL_BYTES, key=self._secret[:64])

    def make(self, queue_id: int, receipt: Receipt) -> str:
        id, receive_count = receipt
        fields = _FIELDS.pack(_VERSION, queue_id, id, receive_count)
        return b2a_base64(fields + self._seal(fields), newline=False).decode()

    def read(self, handle: str) -> tuple[int, Receipt] | None:
        """(queue id, receipt), or None: this is no receipt handle of ours."""
        try:
            raw = a2b_base64(handle, strict_mode=True)
        except ValueError:
            return None
        if len(raw) != _FIELDS.size + _SEAL_BYTES or handle[-3] not in _LAST_DIGITS:
            return None
        fields, seal = raw[: _FIELDS.size], raw[_FIELDS.size :]
        if not compare_digest(seal, self._seal(fields)):
            return None
        version, queue_id, id, receive_count = _FIELDS.unpack(fields)
        return (queue_id, (id, receive_count)) if version == _VERSION else None

    def _seal(self, fields: bytes) -> bytes:
        seal = self._begun.copy()
        seal.update(fields)
        return seal.digest()
