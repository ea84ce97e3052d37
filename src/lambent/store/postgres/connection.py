"""Connections to PostgreSQL: how they are made, and how the stores see them."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.numeric import Int8Dumper

from lambent.store.ports.errors import StoreError
from lambent.store.postgres.dialect import translated
from lambent.store.sql.database import Cursor, Row

_DEFAULTS: Mapping[str, Any] = {
    "application_name": "lambent",
    "connect_timeout": 5,
    # A database that vanished without a word is noticed in half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    # Of several hosts, the one that can be written to.
    "target_session_attrs": "read-write",
}
_FETCHED_FIRST, _FETCHED_MOST = 16, 1024


class PostgresConnection:
    """Implements lambent.store.sql.database.Connection."""

    def __init__(self, raw: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.raw = raw
        self._streams = 0

    @property
    def lost(self) -> bool:
        return self.raw.closed

    def begin(self, statement: str) -> None:
        self._streams = 0
        self.raw.execute(statement.encode())

    def execute(self, statement: str, row: Row = (), /) -> Cursor:
        return self.raw.cursor(binary=True).execute(translated(statement).encode(), row)

    def executemany(self, statement: str, rows: Iterable[Row], /) -> None:
        self.raw.cursor().executemany(translated(statement).encode(), rows)

    def stream(self, statement: str, row: Row = (), /) -> Iterator[Any]:
        self._streams += 1
        name = f"stream_{self._streams}"
        declare = f"DECLARE {name} NO SCROLL CURSOR FOR {translated(statement)}"
        cursor = self.raw.cursor(binary=True)
        cursor.execute(declare.encode(), row)
        size = _FETCHED_FIRST
        while rows := cursor.execute(f"FETCH {size} FROM {name}".encode()).fetchall():
            yield from rows
            if len(rows) < size:
                return
            size = min(size * 4, _FETCHED_MOST)


class _BoolDumper(Dumper):
    """The schema has whole numbers where there are two values."""

    oid = Int8Dumper.oid

    def dump(self, obj: bool) -> Buffer:
        return b"1" if obj else b"0"


class _IntDumper(Int8Dumper):
    """All whole numbers in one width, so that one statement is prepared once."""


def connect(url: str) -> PostgresConnection:
    """Raises psycopg.Error; StoreError where the database is not one for Lambent."""
    given = conninfo_to_dict(url)
    raw = psycopg.connect(make_conninfo("", **{**_DEFAULTS, **given}), autocommit=True)
    if raw.info.parameter_status("server_encoding") != "UTF8":
        raw.close()
        raise StoreError(
            "the PostgreSQL database has another encoding than UTF8: create it with ENCODING 'UTF8'"
        )
    raw.adapters.register_dumper(bool, _BoolDumper)
    raw.adapters.register_dumper(int, _IntDumper)
    raw.execute((files(__package__) / "session.sql").read_bytes())
    return PostgresConnection(raw)
