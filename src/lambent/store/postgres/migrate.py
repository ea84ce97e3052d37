"""Brings a PostgreSQL database to this version's schema, whose number is in the table lambent_schema."""

from importlib.resources import files

from lambent.store.postgres.connection import PostgresConnection
from lambent.store.postgres.dialect import schema
from lambent.store.sql.migrations import scripts_after
from lambent.store.sql.queries import queries

_SQL = queries("schema", __package__)
_LOCK = 0x6C616D62656E74  # "lambent": nodes that start at once take turns


def migrate(connection: PostgresConnection) -> None:
    """Each migration is one transaction. Raises MigrationError."""
    connection.execute("SELECT pg_advisory_lock(?)", (_LOCK,))
    try:
        connection.execute(_SQL["create"])
        (current,) = connection.execute(_SQL["current"]).fetchone()
        missing = scripts_after(current)
        for number, script in missing:
            with connection.raw.transaction():
                connection.raw.execute(schema(script).encode())
                connection.execute(_SQL["applied"], (number,))
        if missing:
            connection.raw.execute((files(__package__) / "tables.sql").read_bytes())
    finally:
        connection.execute("SELECT pg_advisory_unlock(?)", (_LOCK,))
