"""What a server keeps secret in its data directory: the master key from which it derives every other secret, and the
account that its root key belongs to; and the name
of the node. Made at first start, mode 0600."""

import hashlib
import hmac
import os
import re
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from lambent.base.disk import sync_directory

_MASTER_BYTES = 32


class KeysError(Exception):
    """A file of secrets cannot be used; the message says what mends it."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    secret: bytes

    def derive(self, purpose: str) -> bytes:
        """A key for one purpose, from which neither the master key nor another's can be found."""
        return hmac.digest(self.secret, purpose.encode(), hashlib.sha256)


def load_or_create_master_key(path: Path) -> MasterKey:
    """Blocking. Raises KeysError, OSError."""
    content = _load_or_create(path, secrets.token_hex(_MASTER_BYTES))
    try:
        secret = bytes.fromhex(content)
    except ValueError:
        secret = b""
    if len(secret) != _MASTER_BYTES:
        raise KeysError(f"{path} is damaged; restore it from a backup, or remove it (all sessions end then)")
    return MasterKey(secret)


def load_or_create_account_id(path: Path) -> str:
    """Twelve random digits, so that no two installations are taken for each other."""
    first, rest = secrets.choice("123456789"), "".join(secrets.choice("0123456789") for _ in range(11))
    account_id = _load_or_create(path, first + rest)
    if len(account_id) != 12 or not (account_id.isascii() and account_id.isdigit()):
        raise KeysError(f"{path} does not hold an account id of 12 digits; restore it from a backup")
    return account_id


def load_or_create_node_id(path: Path) -> str:
    """The host's name and some random digits."""
    host = re.sub("[^0-9A-Za-z-]", "-", socket.gethostname())[:40]
    node_id = _load_or_create(path, f"{host}-{secrets.token_hex(4)}")
    if not re.fullmatch("[0-9A-Za-z._-]{1,64}", node_id):
        raise KeysError(f"{path} does not hold a node id; remove it, and another one is made")
    return node_id


def _load_or_create(path: Path, content: str) -> str:
    """Whole or not at all: written aside, synced, then linked into place."""
    if not path.exists():
        unfinished = path.with_name(f"{path.name}.new")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        sync_directory(path.parent)
    if path.stat().st_mode & 0o077:
        raise KeysError(f"{path} can be read by other users; chmod 600 {path}")
    return path.read_text(errors="replace").strip()
