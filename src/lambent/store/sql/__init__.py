"""The stores, once for every engine: named statements in .sql files, and functions that run them on a connection.

They know no engine: `database` says what one gives them. Statements are written so that every engine takes them: ON
CONFLICT and RETURNING instead of INSERT OR …, no rowid, and no function that only one has.
"""
