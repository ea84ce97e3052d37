"""SQLite's connection as the stores see it."""

import sqlite3


class SqliteConnection(sqlite3.Connection):
    """Implements lambent.store.sql.database.Connection. A cursor reads rows as they are taken, always."""

    stream = sqlite3.Connection.execute
