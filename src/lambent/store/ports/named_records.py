"""Small records that services keep by name: buses, rules, schedules and their like."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from lambent.model.delivery import Delivery

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """`parent` is what the name is unique in, beside account and region: a rule's bus, a schedule's group; else ""."""

    account_id: str
    region: str
    parent: str
    name: str


@dataclass(frozen=True, slots=True)
class Due(Generic[T]):
    """A record that wants to be looked at at a time (epoch seconds)."""

    name: Name
    value: T
    due_at: float


class NamedRecords(Protocol[T]):
    """The records of one kind. Replacing is by comparison: `previous` must equal what is stored (StaleRevisionError).

    A record may be due at a time: it is then found by `due`, in that order, until it is given another time."""

    async def insert(self, name: Name, value: T, *, due_at: float | None = None) -> None:
        """Raises AlreadyExistsError, StoreFullError."""
        ...

    async def get(self, name: Name) -> T | None: ...

    async def replace(
        self, name: Name, value: T, *, previous: T, due_at: float | None = None, keeps_due: bool = False
    ) -> None:
        """`keeps_due` leaves the time as it is. Raises NotFoundError, StaleRevisionError, StoreFullError."""
        ...

    async def rename(self, name: Name, new_name: Name, value: T, *, previous: T) -> None:
        """Replaces, under another name. Raises as `insert` and `replace` do."""
        ...

    async def delete(self, name: Name) -> None:
        """Raises NotFoundError."""
        ...

    async def page(
        self,
        account_id: str,
        region: str,
        *,
        parent: str | None = None,
        prefix: str = "",
        after: tuple[str, str] = ("", ""),
        limit: int,
    ) -> Sequence[tuple[Name, T]]:
        """By parent and name, beginning behind such a pair; those of every parent where `parent` is None."""
        ...

    async def all(self) -> Sequence[tuple[Name, T]]:
        """Of every account and region: for kinds of which there are few."""
        ...

    async def due(self, *, now: float, limit: int) -> Sequence[Due[T]]:
        """Of every account and region."""
        ...

    async def due_later(self, *, than: float, after: Name | None, limit: int) -> Sequence[Due[T]]:
        """Of every account and region, by name, beginning behind `after`."""
        ...

    async def next_due(self) -> float | None: ...

    async def advance(
        self,
        name: Name,
        *,
        previous: T,
        value: T | None,
        due_at: float | None,
        deliveries: Sequence[Delivery],
    ) -> None:
        """What was due has been dealt with: the record's next time (None for its deletion, with `value` None) and the
        deliveries that come of it are stored together. A record may be due again and be the same, so that comparing
        does not tell who deals with it twice: what is done under a lease is refused where that is lost.

        Raises NotFoundError, StaleRevisionError, StoreFullError, LeaseLostError."""
        ...
