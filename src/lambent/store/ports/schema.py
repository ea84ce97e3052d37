"""How far the tables of the database are, beside what this Lambent knows of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lambent.store.ports.errors import StoreError


class MigrationError(StoreError):
    """The tables were made by a Lambent that this one is too old, or too new, to work beside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """`number` is that of the last migration that was applied, `least` what a Lambent has to know to work with these
    tables, `known` what this one knows. `pending` are the names of migrations that wait until no older node is left."""

    number: int
    least: int
    known: int
    pending: Sequence[str] = ()


class SchemaStore(Protocol):
    async def schema(self) -> Schema:
        """Raises StoreError."""
        ...

    async def migrate(self) -> Schema:
        """Applies what is pending, where no living node is too old for it. Several nodes may ask at once.

        Raises StoreError, MigrationError."""
        ...
