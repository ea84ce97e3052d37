"""Migrations: numbered .sql files, applied once each, in order."""

import sqlite3
from importlib.resources import files

from lambent.store.ports.errors import StoreError


class MigrationError(StoreError):
    """The database was written by a newer Lambent. Upgrade Lambent, or use another --data-dir."""


def migrate(connection: sqlite3.Connection) -> None:
    """Brings the database to this version's schema; each migration is one transaction. Raises
    MigrationError."""
    scripts = _scripts()
    (current,) = connection.execute("PRAGMA user_version").fetchone()
    if current > len(scripts):
        raise MigrationError(
            f"the database has schema {current} and this Lambent knows {len(scripts)}: "
            "upgrade Lambent, or use another --data-dir"
        )
    for number, script in enumerate(scripts[current:], current + 1):
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _scripts() -> list[str]:
    folder = files(__package__) / "migrations"
    found = sorted(
        (entry.name, entry.read_text()) for entry in folder.iterdir() if entry.name.endswith(".sql")
    )
    numbers = [int(name.split("_")[0]) for name, _ in found]
    assert numbers == list(range(1, len(numbers) + 1)), f"migrations are not numbered 1, 2, 3, …: {numbers}"
    return [script for _, script in found]
