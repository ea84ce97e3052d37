"""What a key is made of: made here, or checked when it comes from elsewhere."""

import os

from lambent.services.kms.errors import IncorrectKeyMaterialException
from lambent.services.kms.key_material import SYMMETRIC_BYTES
from lambent.services.kms.key_pairs import make_pair, read_pair
from lambent.services.kms.key_specs import MAC_BYTES, is_asymmetric


def make_material(spec: str) -> bytes:
    """Of an RSA key it takes a second: not on the event loop."""
    return make_pair(spec) if is_asymmetric(spec) else os.urandom(_bytes_of(spec))


def read_material(spec: str, document: bytes) -> bytes:
    """Raises IncorrectKeyMaterialException for what is none of this kind."""
    if is_asymmetric(spec):
        return read_pair(spec, document)
    if len(document) != _bytes_of(spec):
        raise IncorrectKeyMaterialException
    return document


def _bytes_of(spec: str) -> int:
    return MAC_BYTES.get(spec, SYMMETRIC_BYTES)
