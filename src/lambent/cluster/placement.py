"""Which of the nodes have how many of what is spread over all of them: provisioned environments.

They go round the zones, and within a zone round its nodes, so that a zone or a node that is lost takes its share with
it and no more. The order differs from thing to thing: not all begin with the same node.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

from lambent.cluster.membership import Membership
from lambent.store.ports.nodes import Node


def placed(name: str, count: int, nodes: Sequence[Node]) -> Mapping[str, int]:
    """By node id. All nodes that know the same members come to the same result."""
    zones: dict[str, list[str]] = {}
    for node in nodes:
        zones.setdefault(node.zone, []).append(node.id)
    rings = [_shuffled(zones[zone], name) for zone in _shuffled(list(zones), name)]
    counts: Counter[str] = Counter()
    if rings:
        turns, rest = divmod(count, len(rings))
        for position, ring in enumerate(rings):
            of_zone = turns + (position < rest)
            for place, node_id in enumerate(ring):
                counts[node_id] = of_zone // len(ring) + (place < of_zone % len(ring))
    return counts


def _shuffled(names: Sequence[str], seed: str) -> list[str]:
    return sorted(names, key=lambda name: sha256(f"{seed}/{name}".encode()).digest())


class Placement:
    """Over the members with `role`, also those whose time is over until somebody has removed them: nothing moves
    because the database was away. `changed` is called when others are there than before."""

    def __init__(self, membership: Membership, role: str) -> None:
        self._membership = membership
        self._role = role
        self._nodes: Sequence[Node] = ()
        self.changed: Callable[[], None] = lambda: None
        membership.listeners.append(self._review)

    def here(self, name: str, count: int) -> int:
        """How many of them are this node's."""
        return placed(name, count, self._members()).get(self._membership.me.id, 0)

    def _members(self) -> Sequence[Node]:
        everybody = [self._membership.me, *self._membership.all_others]
        return [node for node in everybody if self._role in node.roles]

    def _review(self) -> None:
        before, self._nodes = self._nodes, self._members()
        if {(node.id, node.zone) for node in before} != {(node.id, node.zone) for node in self._nodes}:
            self.changed()
