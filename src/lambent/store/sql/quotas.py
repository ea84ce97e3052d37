"""Parts of the limits that nodes share."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from lambent.model.quota import Claim, Grant, Holding, settle
from lambent.store.ports.nodes import Node
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("quotas")


class SqlQuotaStore:
    """Implements lambent.store.ports.quotas.QuotaStore. Two who settle one name at once would both see what is free: so
    this is written by transactions of which one comes after the other."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settle(self, node: Node, claims: Sequence[Claim]) -> Mapping[str, Grant]:
        row = _row(node)

        def work(connection: Connection) -> Mapping[str, Grant]:
            if connection.execute(_SQL["is_member"], row).fetchone() is None:
                return {}
            return {claim.name: _settle(connection, node, claim) for claim in claims}

        return await self._database.write(work)

    async def give_back(self, node: Node, names: Sequence[str]) -> None:
        def work(connection: Connection) -> None:
            for name in names:
                connection.execute(_SQL["give_back"], _row(node) | {"name": name})

        await self._database.write(work)

    async def wanted(self) -> Sequence[str]:
        found = await self._database.read(lambda connection: connection.execute(_SQL["wanted"]).fetchall())
        return [name for (name,) in found]

    async def held(self) -> Mapping[str, Mapping[str, int]]:
        found = await self._database.read(lambda connection: connection.execute(_SQL["held"]).fetchall())
        held: dict[str, dict[str, int]] = defaultdict(dict)
        for name, holder, amount in found:
            held[name][holder] = amount
        return held


def _settle(connection: Connection, node: Node, claim: Claim) -> Grant:
    """Workers that have no part yet count, too: what is left over is divided among all from the first claim on."""
    held, wanted, others = 0, -1, []
    for holder, amount, wants in connection.execute(_SQL["holdings"], {"name": claim.name}).fetchall():
        if holder == node.id:
            held, wanted = amount, wants
        else:
            others.append(Holding(holder=holder, amount=amount, wanted=max(0, wants)))
    grant = settle(claim, node.id, held, others)
    if (grant.amount, claim.wanted) != (held, wanted):
        changed = {"name": claim.name, "amount": grant.amount, "wanted": claim.wanted}
        connection.execute(_SQL["put"], _row(node) | changed)
    return grant


def _row(node: Node) -> dict[str, str | int]:
    return {"holder": node.id, "incarnation": node.incarnation}
