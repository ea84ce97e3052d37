"""Brings a PostgreSQL database to this version's schema."""

from importlib.resources import files

from psycopg import errors

from lambent.store.ports.errors import StoreUnavailableError
from lambent.store.postgres.connection import PostgresConnection
from lambent.store.postgres.dialect import schema
from lambent.store.sql.migrations import Migration
from lambent.store.sql.queries import queries
from lambent.store.sql.schema import bring_up, read_schema

_SQL = queries("schema", __package__)
_LOCK = 0x6C616D62656E74  # "lambent": nodes that start at once take turns


def migrate(connection: PostgresConnection) -> None:
    """Each migration is one transaction. Raises MigrationError."""
    connection.execute("SELECT pg_advisory_lock(?)", (_LOCK,))
    try:
        connection.execute(_SQL["create"])
        (has_kinds,) = connection.execute(_SQL["has_kinds"]).fetchone()
        if not has_kinds:
            connection.execute(_SQL["add_kinds"])
        before = read_schema(connection).number
        bring_up(connection, lambda migration: _apply(connection, migration))
        if read_schema(connection).number > before:
            connection.raw.execute((files(__package__) / "tables.sql").read_bytes())
    except errors.LockNotAvailable as error:
        raise StoreUnavailableError(f"a table that is to be changed is in use: {error}") from error
    finally:
        connection.execute("SELECT pg_advisory_unlock(?)", (_LOCK,))


def _apply(connection: PostgresConnection, migration: Migration) -> None:
    with connection.raw.transaction():
        if (
            migration.kind == "post"
        ):  # others are at work: they must not queue behind somebody who waits for a table
            connection.execute(_SQL["be_impatient"])
        connection.raw.execute(_script(migration).encode())
        connection.execute(_SQL["applied"], {"number": migration.number, "kind": migration.kind})


def _script(migration: Migration) -> str:
    """Where PostgreSQL is to have something else than a translation, it has a script of the same name."""
    own = files(__package__) / "migrations" / f"{migration.name}.sql"
    return own.read_text() if own.is_file() else schema(migration.script)
