"""Migrations: numbered .sql files, applied once each, in order."""

import sqlite3
from importlib.resources import files


class MigrationError(Exception):
    """The database was written by a newer Lambent. Upgrade Lambent, or use another --data-dir."""


def migrate(connection: sqlite3.Connection) -> None:
    """Brings the database to this version's schema; each migration is one transaction."""
    scripts = sorted(
        (int(entry.name.split("_")[0]), entry.read_text())
        for entry in (files(__package__) / "migrations").iterdir()
        if entry.name.endswith(".sql")
    )
    (current,) = connection.execute("PRAGMA user_version").fetchone()
    newest = scripts[-1][0] if scripts else 0
    if current > newest:
        raise MigrationError(f"the database has schema {current}, this Lambent knows {newest}: upgrade Lambent")
    for number, script in scripts:
        if number > current:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
