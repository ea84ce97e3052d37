"""Which node has which part of the limits that all of them share."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from lambent.model.quota import Claim, Grant
from lambent.store.ports.nodes import Node


class QuotaStore(Protocol):
    """A part goes with the membership of its holder: when that is removed, leaves, or begins another life, it is free.
    The incarnation is its fencing token."""

    async def settle(self, node: Node, claims: Sequence[Claim]) -> Mapping[str, Grant]:
        """The node's parts from now on, by name, divided as model.quota says: all parts of a name together are at most
        the claim's limit, or what was granted under a greater one. Nothing where the node is no member, or another
        life of it is. Raises StoreError."""
        ...

    async def give_back(self, node: Node, names: Sequence[str]) -> None:
        """Raises StoreError."""
        ...

    async def wanted(self) -> Sequence[str]:
        """The names of which somebody wanted something when he asked last. Raises StoreError."""
        ...

    async def held(self) -> Mapping[str, Mapping[str, int]]:
        """Of every name, how much each node has. Raises StoreError."""
        ...
