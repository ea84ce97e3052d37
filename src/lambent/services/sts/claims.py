"""What a session token says, and how it is sealed: AES-GCM under the server's key, so that nobody else can
make or change one, and none need be stored."""

import base64
import binascii
import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE_BYTES = 12


class Claims(msgspec.Struct, array_like=True, frozen=True, kw_only=True, omit_defaults=True):
    """`expires_at` is epoch seconds. The role's members are empty in a session of a user, whose own are
    empty in one of a role; both are in one of the account's root."""

    account_id: str
    partition: str
    expires_at: int
    role_path: str = ""
    role_name: str = ""
    role_id: str = ""
    session_name: str = ""
    session_policies: tuple[str, ...] = ()
    padding: bytes = b""
    user_path: str = ""
    user_name: str = ""
    user_id: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str = ""
    federated_name: str = ""
    """Of a federated user, whose issuer is the user, or the root."""


class ClaimsSeal:
    def __init__(self, key: bytes) -> None:
        """`key` is 32 bytes."""
        self._cipher = AESGCM(key)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Claims)

    def seal(self, claims: Claims) -> str:
        """A token of printable ASCII."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, self._encoder.encode(claims), _VERSION)
        return base64.b64encode(_VERSION + nonce + sealed).decode()

    def open(self, token: str) -> Claims | None:
        """None for whatever `seal` did not make, under this key."""
        try:
            raw = base64.b64decode(token, validate=True)
        except (binascii.Error, ValueError):
            return None
        if raw[:1] != _VERSION or base64.b64encode(raw).decode() != token:
            return None
        nonce, sealed = raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :]
        try:
            return self._decoder.decode(self._cipher.decrypt(nonce, sealed, _VERSION))
        except (InvalidTag, ValueError):
            return None
