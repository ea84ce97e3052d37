"""Work that is spread over the nodes: of many things each has one node that does it, and each node some of them."""

from collections.abc import Sequence
from hashlib import sha256

from lambent.cluster.leases import Leases
from lambent.cluster.membership import Membership
from lambent.store.ports.nodes import Node


def preferred(name: str, nodes: Sequence[Node]) -> str | None:
    """The id of the node that is to do it, None without any. With nodes that come or go only what is theirs moves."""
    if not nodes:
        return None
    return max(nodes, key=lambda node: sha256(f"{node.id}/{name}".encode()).digest()).id


class Shares:
    """Those of the nodes that have `role` share. The preferred node takes a lease before it begins, so that it waits
    until whoever did it before has stopped, or has lost it."""

    def __init__(self, leases: Leases, membership: Membership, role: str) -> None:
        self._leases = leases
        self._membership = membership
        self._role = role

    def is_mine(self, name: str) -> bool:
        """Whether this node is to do it, so far as it knows the others."""
        return preferred(name, self._membership.with_role(self._role)) == self._membership.me.id

    async def take(self, name: str) -> bool:
        """Whether this node may do it now. Raises StoreError."""
        if not (self._membership.valid and self.is_mine(name)):
            return False
        return name in self._leases.held or await self._leases.acquire(name) is not None

    async def give_up(self, name: str) -> None:
        """Once it has stopped doing it. Raises StoreError."""
        await self._leases.release(name)
