"""Migrations: numbered .sql files, applied once each, in order. Each is one transaction."""

from importlib.resources import files

from lambent.store.ports.errors import StoreError


class MigrationError(StoreError):
    """The database was written by a newer Lambent. Upgrade Lambent, or use another --data-dir."""


def scripts_after(current: int) -> list[tuple[int, str]]:
    """The migrations that a database with schema `current` lacks, with their numbers. Raises
    MigrationError."""
    scripts = _scripts()
    if current > len(scripts):
        raise MigrationError(
            f"the database has schema {current} and this Lambent knows {len(scripts)}: "
            "upgrade Lambent, or use another --data-dir"
        )
    return list(enumerate(scripts[current:], current + 1))


def _scripts() -> list[str]:
    found = sorted(
        (entry.name, entry.read_text())
        for entry in files(__package__).iterdir()
        if entry.name.endswith(".sql")
    )
    numbers = [int(name.split("_")[0]) for name, _ in found]
    assert numbers == list(range(1, len(numbers) + 1)), f"migrations are not numbered 1, 2, 3, …: {numbers}"
    return [script for _, script in found]
