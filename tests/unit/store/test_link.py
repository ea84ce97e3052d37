"""Who asks for a connection while the database is away."""

from typing import Any, cast

import psycopg
import pytest

from lambent.store.ports.errors import StoreUnavailableError
from lambent.store.postgres.connection import PostgresConnection
from lambent.store.postgres.link import Link
from lambent.store.postgres.outage import Outage


class Made:
    lost = False


class Database:
    """Away until a time, on a clock that moves while somebody sleeps."""

    def __init__(self, *, away_until: float, bridged_seconds: float) -> None:
        self.now = 0.0
        self.away_until = away_until
        self.attempts = 0
        outage = Outage(bridged_seconds=bridged_seconds, monotonic=lambda: self.now)
        self.link = Link(
            "postgresql://",
            outage,
            connect=self.connect,
            monotonic=lambda: self.now,
            sleep=self.sleep,
        )

    def connect(self, _: str) -> PostgresConnection:
        self.attempts += 1
        self.now += 0.001
        if self.now < self.away_until:
            raise psycopg.OperationalError("refused")
        return cast(Any, Made())

    def sleep(self, seconds: float) -> None:
        assert 0 <= seconds <= 0.25
        self.now += seconds


def test_a_short_outage_is_waited_for() -> None:
    database = Database(away_until=3.0, bridged_seconds=8)
    database.link.get()
    assert 3.0 <= database.now < 3.3
    assert database.attempts < 60


def test_a_longer_one_is_an_error_and_then_one_at_once() -> None:
    database = Database(away_until=30.0, bridged_seconds=8)
    with pytest.raises(StoreUnavailableError, match="refused"):
        database.link.get()
    assert 8.0 <= database.now < 8.3
    database.now = 20.0
    with pytest.raises(StoreUnavailableError):
        database.link.get()
    attempts = database.attempts
    with pytest.raises(StoreUnavailableError):
        database.link.get()
    assert database.now < 20.1
    assert database.attempts == attempts
    database.now = 31.0
    database.link.get()
