"""SQLite's errors as the stores' own."""

import sqlite3

from lambent.store.ports.errors import StoreFullError, StoreUnavailableError

_FULL = frozenset(
    # Beside ENOSPC (FULL), a quota or a file-size limit fails the write itself (IOERR_WRITE), and a full disk
    # may be noticed when SQLite extends the WAL index.
    (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
)
_UNAVAILABLE = frozenset(
    (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL)
)
_PRIMARY = 0xFF
"""Of an error's code; above it is which of its kind."""


def translated(error: Exception) -> Exception:
    # A bare errorcode check would miss errors that Python raises itself (a closed connection has no code).
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return error
    if code in _FULL:
        return StoreFullError(f"the disk that holds the database takes no more: {error}")
    if code & _PRIMARY in _UNAVAILABLE:
        return StoreUnavailableError(f"the disk that holds the database does not do its work: {error}")
    return error
