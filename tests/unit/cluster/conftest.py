"""Several nodes on one store, each on the same clock; nobody sleeps but until it is told to go on."""

import asyncio

import pytest
from memory_nodes import MEMBERSHIP_SECONDS, MemoryNodes

from lambent.base.clock import ManualClock
from lambent.cluster.leases import Leases
from lambent.cluster.membership import Membership
from lambent.store.ports.nodes import Node


class Cluster:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryNodes(self.clock)
        self.displaced: list[str] = []
        self.told: list[tuple[str, str]] = []
        self._naps = asyncio.Queue()

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        self._naps.put_nowait(woken)
        await woken

    async def everybody_goes_on(self):
        for _ in range(self._naps.qsize()):
            woken = self._naps.get_nowait()
            if not woken.done():
                woken.set_result(None)
        await settle()

    def membership(self, id, **members) -> Membership:
        defaults = {"incarnation": "", "address": "", "zone": "", "roles": ("worker",), "version": "1"}
        node = Node(id=id, **defaults | members)
        made = Membership(
            self.store,
            node,
            self.clock,
            seconds=MEMBERSHIP_SECONDS,
            displaced=lambda: self.displaced.append(id),
            sleep=self.sleep,
        )
        made.lost.append(lambda: self.told.append((id, "lost")))
        made.lapsed.append(lambda: self.told.append((id, "lapsed")))
        return made

    async def join(self, id, **members) -> Membership:
        made = self.membership(id, **members)
        await made.join()
        return made

    def leases(self, membership) -> Leases:
        return Leases(self.store, membership, sleep=self.sleep)


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
async def cluster() -> Cluster:
    return Cluster()
