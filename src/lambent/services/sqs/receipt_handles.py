"""Receipt handles: what a consumer shows to delete what it received, or to keep it for longer.

A handle says which message of which queue, and which of its receipts; it is sealed, so that only who received the
message has it.
"""

import base64
import binascii
import hmac
import struct
from hashlib import blake2b

from lambent.store.ports.queue_messages import Receipt

_FIELDS = struct.Struct(">BQQI")
_VERSION = 1
_SEAL_BYTES = 16


class ReceiptHandles:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret[:64]

    def make(self, queue_id: int, receipt: Receipt) -> str:
        id, receive_count = receipt
        fields = _FIELDS.pack(_VERSION, queue_id, id, receive_count)
        return base64.b64encode(fields + self._seal(fields)).decode()

    def read(self, handle: str) -> tuple[int, Receipt] | None:
        """(queue id, receipt), or None: this is no receipt handle of ours."""
        try:
            raw = base64.b64decode(handle, validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(raw) != _FIELDS.size + _SEAL_BYTES or base64.b64encode(raw).decode() != handle:
            return None
        fields, seal = raw[: _FIELDS.size], raw[_FIELDS.size :]
        if not hmac.compare_digest(seal, self._seal(fields)):
            return None
        version, queue_id, id, receive_count = _FIELDS.unpack(fields)
        return (queue_id, (id, receive_count)) if version == _VERSION else None

    def _seal(self, fields: bytes) -> bytes:
        return blake2b(fields, digest_size=_SEAL_BYTES, key=self._secret).digest()
