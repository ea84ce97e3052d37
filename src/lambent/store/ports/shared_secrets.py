"""Secrets that all nodes of a database share. What is stored is sealed; no store can read it."""

from typing import Protocol


class SharedSecretStore(Protocol):
    async def get(self, name: str) -> bytes | None: ...

    async def put_first(self, name: str, sealed: bytes) -> bytes:
        """Stores it where there is none, and returns what is stored: the same to all who ask at once."""
        ...

    async def replace(self, name: str, sealed: bytes) -> None: ...
