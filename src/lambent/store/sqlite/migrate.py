"""Brings a SQLite database to this version's schema. Its number is also the user_version, by which a Lambent from
before the table lambent_schema knows that the database is too new for it."""

import sqlite3

from lambent.store.sql.migrations import Migration
from lambent.store.sql.queries import queries
from lambent.store.sql.schema import bring_up
from lambent.store.sqlite.connection import SqliteConnection

_SQL = queries("schema", __package__)


def migrate(connection: SqliteConnection) -> None:
    """Each migration is one transaction. Raises MigrationError."""
    connection.execute("BEGIN IMMEDIATE")  # processes that start at once take turns
    connection.execute(_SQL["create"])
    connection.execute(_SQL["fill"])
    connection.execute("COMMIT")

    def apply(migration: Migration) -> None:
        applied = _SQL["applied"] % (migration.number, migration.kind)
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{applied};\n{migration.script}\n"
                f"PRAGMA user_version = {migration.number};\nCOMMIT;"
            )
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            (done,) = connection.execute(_SQL["is_applied"], (migration.number,)).fetchone()
            if not done:
                raise

    bring_up(connection, apply)
