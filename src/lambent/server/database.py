"""Which database this server has: its own file, or one that it shares with other nodes."""

from pathlib import Path

from lambent.store.ports.errors import StoreError
from lambent.store.sql.database import Database
from lambent.store.sqlite.database import SqliteDatabase


def choose_database(url: str | None, data_dir: Path) -> Database:
    """Opens nothing. `url` is a value of the setting `database`. Raises StoreError where what it needs is not
    installed."""
    if url is None:
        return SqliteDatabase(data_dir / "lambent.db")
    if url.startswith("sqlite:"):
        return SqliteDatabase(Path("/", url.removeprefix("sqlite:///")))
    try:
        from lambent.store.postgres.database import PostgresDatabase  # noqa: PLC0415 - psycopg is an extra
    except ImportError as error:
        raise StoreError("PostgreSQL needs psycopg: pip install 'lambent[postgres]'") from error
    return PostgresDatabase(url)
