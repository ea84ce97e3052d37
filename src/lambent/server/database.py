"""Which database this server has: its own file, or one that it shares with other nodes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from lambent.config import Settings
from lambent.store.ports.errors import StoreError, StoreUnavailableError
from lambent.store.sql.database import Database
from lambent.store.sqlite.database import SqliteDatabase

log = logging.getLogger(__name__)

_WAIT_SECONDS = 2.0


async def open_database(
    choose: Callable[[], Database],
    *,
    seconds: float,
    monotonic: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Database:
    """Waits so many seconds for one that cannot be reached yet, as where everything is started at once. Raises
    StoreError."""
    until = monotonic() + seconds
    while True:
        database = choose()
        try:
            await asyncio.to_thread(database.open)
        except StoreUnavailableError as error:
            left = until - monotonic()
            if left <= 0:
                raise
            log.warning("waiting for the database, for %.0f s at most: %s", left, _first_line(error))
            await sleep(min(_WAIT_SECONDS, left))
        else:
            return database


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def choose_database(settings: Settings, data_dir: Path) -> Database:
    """Opens nothing. Raises StoreError where what it needs is not installed."""
    url = settings.database
    if url is None:
        return SqliteDatabase(data_dir / "lambent.db")
    if url.startswith("sqlite:"):
        return SqliteDatabase(Path("/", url.removeprefix("sqlite:///")))
    try:
        from lambent.store.postgres.database import PostgresDatabase  # noqa: PLC0415 - psycopg is an extra
    except ImportError as error:
        raise StoreError("PostgreSQL needs psycopg: pip install 'lambent[postgres]'") from error
    return PostgresDatabase(url, bridged_seconds=settings.database_outage_seconds)
