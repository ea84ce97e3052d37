"""Brings a SQLite database to this version's schema, whose number is its user_version."""

import sqlite3

from lambent.store.sql.migrations import scripts_after


def migrate(connection: sqlite3.Connection) -> None:
    """Each migration is one transaction. Raises MigrationError."""
    (current,) = connection.execute("PRAGMA user_version").fetchone()
    for number, script in scripts_after(current):
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
