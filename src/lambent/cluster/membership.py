"""Being one of those who serve: joining, beating, noticing who is gone, and noticing that one is gone oneself."""

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson

from lambent.base.clock import Clock
from lambent.base.ids import new_token
from lambent.store.ports.nodes import Member, Node, NodeStore

log = logging.getLogger(__name__)

_BEATS = 4
"""So often a membership is renewed in the time that it lasts."""

Heard = Callable[[], None]


class Membership:
    """`me` names this node; its incarnation is made when it joins. `run` beats until it is cancelled.

    What was read last is kept: `members`, `others`. `listeners` are called after every look at the members, `lapsed`
    when this node has to expect that the others count on it no more, `lost` when a member was removed, so that what it
    had claimed can be taken over, `forgotten` when this node was removed by others, who have had what it had."""

    def __init__(
        self,
        store: NodeStore,
        me: Node,
        clock: Clock,
        *,
        seconds: float,
        displaced: Callable[[], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """A membership lasts `seconds`, the same for all nodes. `displaced` is called when another process has joined
        as this node."""
        self._store = store
        self._clock = clock
        self._displaced = displaced
        self._sleep = sleep
        self._valid_until = 0.0
        self._silent: Mapping[str, Member] = {}
        self.me = me
        self.state: Callable[[], Mapping[str, Any]] = dict
        """What this node tells of itself with each beat."""
        self.seconds = seconds
        self.beat_seconds = seconds / _BEATS
        self.refuses: Callable[[Node], bool] = lambda node: False
        """Whether nobody listens any more where a node is to be called."""
        self.members: Sequence[Member] = ()
        self.listeners: list[Heard] = []
        self.lapsed: list[Heard] = []
        self.lost: list[Heard] = []
        self.forgotten: list[Heard] = []

    @property
    def valid(self) -> bool:
        """Whether this node's membership cannot have run out."""
        return self._clock.monotonic() < self._valid_until

    @property
    def renewed_lately(self) -> bool:
        """Whether it was renewed in the first half of its time: then the database is not away."""
        return self._clock.monotonic() < self._valid_until - self.seconds / 2

    @property
    def others(self) -> Sequence[Node]:
        """Who else is there, as far as is known."""
        return [
            member.node
            for member in self.members
            if member.node.id != self.me.id and member.remaining_seconds > 0
        ]

    @property
    def all_others(self) -> Sequence[Node]:
        """Also those whose time is over, until somebody has removed them: after the database was away, that is
        everybody."""
        return [member.node for member in self.members if member.node.id != self.me.id]

    def with_role(self, role: str) -> Sequence[Node]:
        """The living that have it, this node among them."""
        nodes = [self.me, *self.others]
        return [node for node in nodes if role in node.roles]

    async def join(self) -> None:
        """Raises StoreError."""
        self.me = dataclasses.replace(self.me, incarnation=new_token(16))
        asked_at = self._clock.monotonic()
        await self._store.join(self.me, self.seconds)
        self._valid_until = asked_at + self.seconds
        await self.look()

    async def run(self) -> None:
        while True:
            await self._sleep(self.beat_seconds)
            try:
                async with asyncio.timeout(self.seconds):
                    await self.beat()
            except Exception:
                log.exception("this node could not renew its membership; next try in %g s", self.beat_seconds)
            if not self.valid:
                _tell(self.lapsed)

    async def beat(self) -> None:
        """Raises StoreError."""
        if not self.valid:  # stopped for a while, perhaps: what it held may be somebody else's by now
            _tell(self.lapsed)
        asked_at = self._clock.monotonic()
        state = orjson.dumps(self.state()).decode()
        if await self._store.beat(self.me, self.seconds, state):
            self._valid_until = asked_at + self.seconds
            await self.look()
            return
        self._valid_until = 0.0
        _tell(self.lapsed)
        _tell(self.forgotten)
        current = {member.node.id: member.node for member in await self._store.members()}.get(self.me.id)
        if current is not None:
            log.critical("another server has joined as node %s: a data directory was copied", self.me.id)
            self._displaced()
            return
        log.warning("node %s was taken for dead; it joins again", self.me.id)
        await self.join()

    async def leave(self) -> None:
        self._valid_until = 0.0
        await self._store.leave(self.me)

    async def look(self) -> None:
        """Reads who is there, and removes who has been silent for two looks after its time was over: the first may be
        our own fault, where the database was away for everybody. Who refuses connections, too, has half the time."""
        members = await self._store.members()
        silent = {
            member.node.id: member
            for member in members
            if member.remaining_seconds <= self._spared(member.node) and member.node.id != self.me.id
        }
        lost = [member for id, member in silent.items() if _same(self._silent.get(id), member)]
        self._silent = silent
        self.members = members
        removed = [member for member in lost if await self._store.remove(member, self._spared(member.node))]
        for member in removed:
            log.warning("node %s is gone: what it had is taken over", member.node.id)
        if removed:
            gone = {member.node.id for member in removed}
            self.members = [member for member in members if member.node.id not in gone]
            _tell(self.lost)
        _tell(self.listeners)

    def _spared(self, node: Node) -> float:
        return self.seconds / 2 if self.refuses(node) else 0.0


def _same(one: Member | None, other: Member) -> bool:
    return one is not None and (one.node.incarnation, one.beats) == (other.node.incarnation, other.beats)


def _tell(listeners: Sequence[Heard]) -> None:
    for listener in list(listeners):
        listener()
