"""Which database this server has: its own file, or one that it shares with other nodes."""

from pathlib import Path

from lambent.store.sql.database import Database
from lambent.store.sqlite.database import SqliteDatabase


def choose_database(url: str | None, data_dir: Path) -> Database:
    """Opens nothing. `url` is a value of the setting `database`."""
    if url is None:
        return SqliteDatabase(data_dir / "lambent.db")
    return SqliteDatabase(Path("/", url.removeprefix("sqlite:///")))
