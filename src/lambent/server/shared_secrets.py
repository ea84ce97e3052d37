"""What all nodes of a database have alike: made by the first of them, sealed in the database with the master key.

The master key itself is the operator's to bring to each node: who has only the database knows none of this.
"""

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lambent.server.keys import KeysError
from lambent.store.ports.shared_secrets import SharedSecretStore

_NONCE_BYTES = 12
_ANEW = "or start once with --replace-secrets to have this node's in the database instead"


class SharedSecrets:
    """`key` (32 bytes) seals them. With `anew` what this node has replaces what is stored."""

    def __init__(self, store: SharedSecretStore, key: bytes, directory: Path, *, anew: bool) -> None:
        self._store = store
        self._cipher = AESGCM(key)
        self._directory = directory
        self._anew = anew

    async def get(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The secret of this name; the first to ask has it made, or brings what an older Lambent left in a file.

        Raises KeysError where it was sealed with another master key."""
        stored = None if self._anew else await self._store.get(name)
        if stored is None:
            file = self._directory / name
            own = self._seal(name, file.read_bytes() if file.exists() else make())
            if self._anew:
                await self._store.replace(name, own)
            stored = await self._store.put_first(name, own)
        return self._open(name, stored)

    async def settle_file(self, path: Path, make: Callable[[], object]) -> None:
        """A file that every node has: made by the first, written by the others.

        Raises KeysError where this node has another one than the database."""

        def content() -> bytes:
            make()
            return path.read_bytes()

        _settle(path, await self.get(path.name, content))

    def _seal(self, name: str, secret: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, name.encode())

    def _open(self, name: str, sealed: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
        except InvalidTag:
            raise KeysError(
                f"{self._directory / 'master-key'} is not the master key of this database: "
                f"copy that of another node, or of a backup, {_ANEW}"
            ) from None


def _settle(path: Path, shared: bytes) -> None:
    if not path.exists():
        _write(path, shared)
    elif path.read_bytes() != shared:
        raise KeysError(f"{path} is not the one of this database: remove it to take that, {_ANEW}")


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
