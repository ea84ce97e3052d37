"""The store of nodes and leases in memory, on a clock that moves only when told to."""

from lambent.base.clock import ManualClock
from lambent.store.ports.errors import StoreError
from lambent.store.ports.nodes import Lease, Member

MEMBERSHIP_SECONDS = 8.0


class MemoryNodes:
    """Implements NodeStore. While it is `away`, everything fails."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._members = {}
        self._leases = {}
        self.away = False

    def _now(self):
        if self.away:
            raise StoreError("the database is away")
        return self._clock.now()

    def _own(self, node):
        found = self._members.get(node.id)
        return found if found is not None and found["node"].incarnation == node.incarnation else None

    async def join(self, node, seconds):
        now = self._now()
        self._members[node.id] = {
            "node": node,
            "until": now + seconds,
            "beats": 0,
            "joined": now,
            "state": "{}",
        }

    async def beat(self, node, seconds, state="{}"):
        now = self._now()
        if (found := self._own(node)) is None:
            return False
        found["until"], found["beats"] = now + seconds, found["beats"] + 1
        found["state"] = state
        for lease in self._leases.values():
            if lease["holder"] == node.id:
                lease["until"] = now + seconds
        return True

    async def leave(self, node):
        self._now()
        if self._own(node) is not None:
            self._take_out(node.id)

    async def members(self):
        now = self._now()
        return [
            Member(
                node=found["node"],
                remaining_seconds=found["until"] - now,
                beats=found["beats"],
                joined_seconds=now - found["joined"],
                state=found["state"],
            )
            for found in self._members.values()
        ]

    async def remove(self, member, spared_seconds=0.0):
        now = self._now()
        found = self._own(member.node)
        if found is None or found["beats"] != member.beats or found["until"] > now + spared_seconds:
            return False
        self._take_out(member.node.id)
        return True

    def _take_out(self, id):
        del self._members[id]
        for lease in self._leases.values():
            if lease["holder"] == id:
                lease["holder"] = None

    async def acquire(self, name, node, seconds):
        now = self._now()
        lease = self._leases.setdefault(name, {"holder": None, "token": 0, "until": 0.0})
        if self._own(node) is None or (lease["holder"] not in (None, node.id) and lease["until"] > now):
            return None
        lease.update(holder=node.id, token=lease["token"] + 1, until=now + seconds)
        return lease["token"]

    async def release(self, name, node, token):
        self._now()
        lease = self._leases[name]
        if (lease["holder"], lease["token"]) == (node.id, token):
            lease["holder"] = None

    async def leases(self):
        now = self._now()
        held = [
            Lease(
                name=name,
                holder=lease["holder"],
                token=lease["token"],
                remaining_seconds=lease["until"] - now,
            )
            for name, lease in self._leases.items()
            if lease["holder"] is not None
        ]
        return sorted(held, key=lambda lease: lease.name)
