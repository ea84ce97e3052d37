"""The access key of the account's root: made when a server first starts, kept in a file that its user alone reads."""

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

import msgspec

from lambent.base.disk import sync_directory
from lambent.model.credential import Credential

_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class RootKeyError(Exception):
    """The file of the root key cannot be used. The message names it and says what mends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RootKey:
    access_key_id: str
    secret_access_key: str


def load_or_create_root_key(path: Path) -> RootKey:
    """Reads the key, or makes and writes one, whole or not at all. Blocking. Raises RootKeyError, OSError."""
    try:
        return _read(path)
    except FileNotFoundError:
        _write(path, _new_key())
    # Read back: where two servers start at once, one of them wrote it.
    return _read(path)


class RootCredentials:
    """A CredentialSource of one key: the root's."""

    def __init__(self, key: RootKey, account_id: str) -> None:
        self._credential = Credential(
            access_key_id=key.access_key_id,
            secret_access_key=key.secret_access_key,
            account_id=account_id,
            principal_arn=f"arn:aws:iam::{account_id}:root",
            user_id=account_id,
        )

    def find(self, access_key_id: str, session_token: str | None) -> Credential | None:
        return self._credential if access_key_id == self._credential.access_key_id else None


def _new_key() -> RootKey:
    access_key_id = "AKIA" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(16))
    return RootKey(access_key_id=access_key_id, secret_access_key=secrets.token_urlsafe(30))


def _write(path: Path, key: RootKey) -> None:
    """As a new file that is linked into place: nobody sees half of it, and an older one stays."""
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(key) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(unfinished, path)
        except FileExistsError:
            return
    finally:
        unfinished.unlink()
    sync_directory(path.parent)


def _read(path: Path) -> RootKey:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        content = file.read()
    if mode & 0o077:
        raise RootKeyError(f"{path} can be read by other users; chmod 600 {path}")
    try:
        return msgspec.json.decode(content, type=RootKey)
    except msgspec.DecodeError as error:
        raise RootKeyError(f"{path} is not a root key ({error}); remove it to have a new one made") from error
