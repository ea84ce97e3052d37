"""GET /_lambent/status: the nodes, what each of them does, and what waits to be done. For this machine only."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from lambent import __version__
from lambent.base.clock import Clock
from lambent.cluster.membership import Membership
from lambent.http.locality import is_own_request
from lambent.http.message import Request, Response
from lambent.server.queue_depths import QueueDepths
from lambent.store.ports.errors import StoreError
from lambent.store.ports.nodes import Lease, Member, NodeStore
from lambent.store.ports.quotas import QuotaStore
from lambent.store.ports.schema import SchemaStore

PATH = "/_lambent/status"


def is_status(request: Request) -> bool:
    return request.path == PATH and request.method == "GET"


class Status:
    """`environments` counts those of this node by state; `uses` says how much of each shared limit runs on it."""

    def __init__(
        self,
        membership: Membership,
        nodes: NodeStore,
        schemas: SchemaStore,
        queues: QueueDepths,
        quotas: QuotaStore,
        environments: Callable[[], Mapping[str, int]],
        clock: Clock,
    ) -> None:
        self.uses: Callable[[], Mapping[str, int]] = dict
        self._membership = membership
        self._nodes = nodes
        self._schemas = schemas
        self._queues = queues
        self._quotas = quotas
        self._environments = environments
        self._monotonic = clock.monotonic
        self._started_at = clock.monotonic()

    def of_this_node(self) -> Mapping[str, Any]:
        """What goes with each beat."""
        return {
            "environments": dict(self._environments()),
            "uptime_seconds": round(self._monotonic() - self._started_at),
            "running": {name: running for name, running in self.uses().items() if running},
        }

    async def answer(self, request: Request) -> Response:
        if not is_own_request(request):
            return _text(
                403, "The status is for this machine only: ask from it, at localhost or its address.\n"
            )
        return Response(200, [("Content-Type", "application/json")], orjson.dumps(await self.read()))

    async def read(self) -> Mapping[str, Any]:
        """Without the database what is known of this node is told all the same, and why the rest is not."""
        me = self._membership.me
        found: dict[str, Any] = {
            "node": me.id,
            "version": __version__,
            "member": self._membership.valid,
            **self.of_this_node(),
        }
        try:
            found |= await self._of_all()
        except StoreError as error:
            found["database"] = str(error) or type(error).__name__
        return found

    async def _of_all(self) -> Mapping[str, Any]:
        leases = await self._nodes.leases()
        queues = await self._queues.read()
        return {
            "database": "ok",
            "schema": dataclasses.asdict(await self._schemas.schema()),
            "nodes": [_member(member, leases) for member in await self._nodes.members()],
            "queues": {name: depth.waiting for name, depth in queues.items()},
            "late_seconds": {
                name: depth.late_seconds for name, depth in queues.items() if depth.late_seconds
            },
            "limits": await self._quotas.held(),
        }


def _member(member: Member, leases: Sequence[Lease]) -> Mapping[str, Any]:
    node = member.node
    return {
        "id": node.id,
        "alive": member.remaining_seconds > 0,
        "address": node.address,
        "zone": node.zone,
        "roles": list(node.roles),
        "version": node.version,
        "schema_known": node.schema_known,
        "joined_seconds_ago": round(member.joined_seconds, 1),
        "expires_in_seconds": round(member.remaining_seconds, 1),
        "leases": {lease.name: lease.token for lease in leases if lease.holder == node.id},
        **orjson.loads(member.state),
    }


def _text(status: int, text: str) -> Response:
    return Response(status, [("Content-Type", "text/plain; charset=utf-8")], text.encode())
