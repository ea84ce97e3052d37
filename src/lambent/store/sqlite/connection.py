"""SQLite's connection as the stores see it."""

import re
import sqlite3
from collections.abc import Iterable
from functools import cache
from typing import Any

_VALUES = re.compile(r"VALUES (\([?, ]+\))\Z")
_AT_ONCE = 10


class SqliteConnection(sqlite3.Connection):
    """Implements lambent.store.sql.database.Connection. A cursor reads rows as they are taken, always."""

    stream = sqlite3.Connection.execute

    def executemany(self, statement: str, rows: Iterable[Any], /) -> sqlite3.Cursor:
        """Ten rows at once where they are inserted: sqlite3 gives the interpreter lock up at every step, and SQLite
        takes half as long for them (17 µs instead of 26 for ten messages)."""
        several = _several(statement)
        if several is None:
            return super().executemany(statement, rows)
        rows = list(rows)
        whole = len(rows) - len(rows) % _AT_ONCE
        for first in range(0, whole, _AT_ONCE):
            self.execute(several, [value for row in rows[first : first + _AT_ONCE] for value in row])
        return super().executemany(statement, rows[whole:])


@cache
def _several(statement: str) -> str | None:
    """The statement for ten rows, where it inserts one and nothing else."""
    found = _VALUES.search(statement)
    return None if found is None else statement + f", {found[1]}" * (_AT_ONCE - 1)
