"""Metrics."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from hashlib import sha256
from math import ceil
from typing import Any

from lambent.model.tally import MetricKey, Tally
from lambent.store.ports.metrics import Minute
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.queries import queries

_SQL = queries("metrics")
_INDEXED_MOST = 1500
"""Characters, of which JSON has none beyond ASCII. PostgreSQL takes 2,704 bytes with all else that is in the index."""

Tallies = Mapping[Minute, Tally]


class SqlMetricStore:
    """Implements lambent.store.ports.metrics.MetricStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, tallies: Tallies) -> None:
        await self._database.write_together(_add_all, tallies)

    async def read(self, metric: MetricKey, *, start: float, end: float) -> Sequence[tuple[Minute, Tally]]:
        def work(connection: Connection) -> list[Any]:
            found = connection.execute(_SQL["find"], _row(metric)).fetchone()
            if found is None:
                return []
            return connection.execute(
                _SQL["read"], {"metric_id": found[0], "start": ceil(start), "end": ceil(end)}
            ).fetchall()

        return [
            (Minute(metric, unit, at), _tally(*measured))
            for at, unit, *measured in await self._database.read(work)
        ]

    async def page(
        self,
        account_id: str,
        region: str,
        *,
        namespace: str | None = None,
        name: str | None = None,
        active_since: float = 0.0,
        after: int = 0,
        limit: int,
    ) -> Sequence[tuple[int, MetricKey]]:
        row = {
            "account_id": account_id,
            "region": region,
            "namespace": namespace,
            "name": name,
            "active_since": ceil(active_since),
            "after": after,
            "limit": limit,
        }
        found = await self._database.read(lambda connection: connection.execute(_SQL["page"], row).fetchall())
        return [
            (
                number,
                MetricKey(
                    account_id=account_id,
                    region=region,
                    namespace=namespace,
                    name=name,
                    dimensions=tuple((key, value) for key, value in json.loads(dimensions)),
                ),
            )
            for number, namespace, name, dimensions in found
        ]

    async def roll_up(self, *, before: float, seconds: int) -> bool:
        def work(connection: Connection) -> bool:
            done = connection.execute(_SQL["rolled_up"], {"seconds": seconds}).fetchone()
            within = {"start": done[0] if done else 0, "end": int(before) // seconds * seconds}
            (first,) = connection.execute(_SQL["first"], within).fetchone()
            if first is None:
                return False
            start = first // seconds * seconds
            window = {"start": start, "end": start + seconds}
            coarser: dict[tuple[int, str], Tally] = {}
            for metric_id, at, unit, *measured in connection.execute(_SQL["between"], window).fetchall():
                coarser.setdefault((metric_id, unit), Tally()).merge(_tally(*measured))
                connection.execute(_SQL["remove"], {"metric_id": metric_id, "start": at, "unit": unit})
            for (metric_id, unit), tally in coarser.items():
                _merge(connection, metric_id, start, unit, tally)
            connection.execute(_SQL["set_rolled_up"], {"seconds": seconds, "until": window["end"]})
            return True

        return await self._database.write(work)

    async def expire(self, *, before: float, limit: int) -> int:
        def work(connection: Connection) -> int:
            found = connection.execute(_SQL["expired"], {"before": ceil(before), "limit": limit}).fetchall()
            for metric_id, start, unit in found:
                connection.execute(_SQL["remove"], {"metric_id": metric_id, "start": start, "unit": unit})
            ids = json.dumps(sorted({metric_id for metric_id, _, _ in found}))
            connection.execute(_SQL["remove_silent"], {"ids": ids, "before": ceil(before)})
            return len(found)

        return await self._database.write(work)


def _add_all(connection: Connection, batches: Sequence[Tallies]) -> None:
    """What is added to a metric is added under the lock of its row. They are locked in one order, so that of two
    who add to the same metrics none waits for the other for ever."""
    measured = [item for batch in batches for item in batch.items()]
    latest: dict[MetricKey, int] = {}
    for minute, _ in measured:
        latest[minute.metric] = max(minute.start, latest.get(minute.metric, 0))
    ids: dict[MetricKey, int] = {}
    for metric in sorted(latest, key=astuple):
        row = {**_row(metric), "start": latest[metric]}
        dimensions = json.dumps(metric.dimensions)
        if row["dimensions"] != dimensions:
            connection.execute(_SQL["put_long"], {"key": row["dimensions"], "dimensions": dimensions})
        (ids[metric],) = connection.execute(_SQL["touch"], row).fetchone()
    for minute, tally in measured:
        _merge(connection, ids[minute.metric], minute.start, minute.unit, tally)


def _merge(connection: Connection, metric_id: int, start: int, unit: str, tally: Tally) -> None:
    where = {"metric_id": metric_id, "start": start, "unit": unit}
    stored = connection.execute(_SQL["minute"], where).fetchone()
    total = _tally(*stored) if stored else Tally()
    total.merge(tally)
    spread = None if total.values is None else json.dumps(list(total.values.items()))
    row = {
        **where,
        "count": total.count,
        "sum": total.sum,
        "minimum": total.minimum,
        "maximum": total.maximum,
        "spread": spread,
    }
    connection.execute(_SQL["put"], row)


def _tally(count: float, total: float, minimum: float, maximum: float, spread: str | None) -> Tally:
    values = None if spread is None else dict(json.loads(spread))
    return Tally(count=count, sum=total, minimum=minimum, maximum=maximum, values=values)


def _row(metric: MetricKey) -> dict[str, Any]:
    return {
        "account_id": metric.account_id,
        "region": metric.region,
        "namespace": metric.namespace,
        "name": metric.name,
        "dimensions": _key(json.dumps(metric.dimensions)),
    }


def _key(dimensions: str) -> str:
    """What stands for them in the index: they themselves, or where they are too long for one a digest, in the place of
    the value of a dimension without a name, which there cannot be."""
    if len(dimensions) <= _INDEXED_MOST:
        return dimensions
    return json.dumps([["", sha256(dimensions.encode()).hexdigest()]])
