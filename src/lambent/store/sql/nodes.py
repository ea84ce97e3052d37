"""Nodes and leases."""

from collections.abc import Sequence
from typing import Any

from lambent.store.ports.fence import Fence, LeaseLostError
from lambent.store.ports.nodes import Lease, Member, Node
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("nodes")


class SqlNodeStore:
    """Implements lambent.store.ports.nodes.NodeStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def join(self, node: Node, seconds: float) -> None:
        row = _row(node) | {"seconds": seconds}
        await self._database.write(lambda connection: connection.execute(_SQL["join"], row).rowcount)

    async def beat(self, node: Node, seconds: float, state: str = "{}") -> bool:
        row = _row(node) | {"seconds": seconds, "state": state}

        def work(connection: Connection) -> bool:
            if not connection.execute(_SQL["beat"], row).rowcount:
                return False
            connection.execute(_SQL["renew_leases"], row)
            return True

        return await self._database.write(work)

    async def leave(self, node: Node) -> None:
        await self._database.write(lambda connection: _take_out(connection, "leave", _row(node)))

    async def members(self) -> Sequence[Member]:
        found = await self._database.read(lambda connection: connection.execute(_SQL["members"]).fetchall())
        return [_member(row) for row in found]

    async def remove(self, member: Member, spared_seconds: float = 0.0) -> bool:
        row = _row(member.node) | {"beats": member.beats, "spared_seconds": spared_seconds}
        return await self._database.write(lambda connection: _take_out(connection, "remove", row))

    async def acquire(self, name: str, node: Node, seconds: float) -> int | None:
        row = _row(node) | {"name": name, "seconds": seconds}
        found = await self._database.write(
            lambda connection: connection.execute(_SQL["acquire"], row).fetchone()
        )
        return None if found is None else int(found[0])

    async def release(self, name: str, node: Node, token: int) -> None:
        row = {"name": name, "id": node.id, "token": token}
        await self._database.write(lambda connection: connection.execute(_SQL["release"], row).rowcount)

    async def leases(self) -> Sequence[Lease]:
        found = await self._database.read(lambda connection: connection.execute(_SQL["leases"]).fetchall())
        return [
            Lease(name=name, holder=holder, token=token, remaining_seconds=remaining)
            for name, holder, token, remaining in found
        ]


def require_held(connection: Connection, fence: Fence | None) -> None:
    """In the transaction of what is written under a lease. Raises LeaseLostError."""
    if fence is None:
        return
    row = {"name": fence.name, "holder": fence.holder, "token": fence.token}
    if connection.execute(_SQL["holds"], row).fetchone() is None:
        raise LeaseLostError(f"the lease {fence.name!r} is not this node's any more")


def _take_out(connection: Connection, statement: str, row: dict[str, Any]) -> bool:
    if not connection.execute(_SQL[statement], row).rowcount:
        return False
    connection.execute(_SQL["free_leases"], row)
    connection.execute(_SQL["free_quotas"], row)
    return True


def _row(node: Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "incarnation": node.incarnation,
        "address": node.address,
        "zone": node.zone,
        "roles": ",".join(node.roles),
        "version": node.version,
        "schema_known": node.schema_known,
    }


def _member(row: Sequence[Any]) -> Member:
    id, incarnation, address, zone, roles, version, schema_known, remaining, beats, joined, state = row
    node = Node(
        id=id,
        incarnation=incarnation,
        address=address,
        zone=zone,
        roles=tuple(roles.split(",")),
        version=version,
        schema_known=schema_known,
    )
    return Member(node=node, remaining_seconds=remaining, beats=beats, joined_seconds=joined, state=state)
