"""Who serves from this database, and which of them has what only one may have."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A server as it tells the others of itself. `id` outlives a restart, `incarnation` names one of its lives.

    `address` (host:port) is where the others reach it, empty where they cannot; `zone` a label that placement spreads
    over; `roles` some of api, worker, poller; `schema_known` the number of the last migration that it knows."""

    id: str
    incarnation: str
    address: str
    zone: str
    roles: Sequence[str]
    version: str
    schema_known: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A node with the time it has left until its membership runs out (below zero where it has). `beats` counts its
    renewals: a member that two looks find with the same count has been silent between them. `joined_seconds` is how
    long ago it joined, `state` the JSON of its last beat."""

    node: Node
    remaining_seconds: float
    beats: int
    joined_seconds: float
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """`token` grows with every new holder: what was done with a smaller one was done by somebody who lost it."""

    name: str
    holder: str
    token: int
    remaining_seconds: float


class NodeStore(Protocol):
    """Membership and leases. Only the database's clock decides what has run out: nodes may have any time of day.

    Whoever has a row here is a member, also when its time is over: claims that it holds are taken from it only after
    somebody has removed it."""

    async def join(self, node: Node, seconds: float) -> None:
        """Becomes a member for so long, in the place of an earlier life of the node."""
        ...

    async def beat(self, node: Node, seconds: float, state: str = "{}") -> bool:
        """Renews the membership and the leases that the node holds, run out or not; `state` is JSON. False where it is
        no member any more, or another life of it is: nothing is renewed then."""
        ...

    async def leave(self, node: Node) -> None:
        """The node ends: its leases are free at once. Does nothing where another life of it is the member."""
        ...

    async def members(self) -> Sequence[Member]:
        """In the order in which they joined."""
        ...

    async def remove(self, member: Member, spared_seconds: float = 0.0) -> bool:
        """Takes a member out whose time is over, but for `spared_seconds` at most, and that has not been heard of since
        it was seen so; its leases are free then. Whether that happened."""
        ...

    # Leases

    async def acquire(self, name: str, node: Node, seconds: float) -> int | None:
        """The token, where the lease was free, had run out, or was the node's own; None where somebody else has it, or
        the node is no member."""
        ...

    async def release(self, name: str, node: Node, token: int) -> None:
        """Does nothing where that is not the one who holds it."""
        ...

    async def leases(self) -> Sequence[Lease]:
        """Those that are held, by name."""
        ...
