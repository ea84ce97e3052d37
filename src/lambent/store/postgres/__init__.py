"""The engine for many nodes: a PostgreSQL database that all of them share.

The same stores and statements as on SQLite run here; `dialect` says what is written differently. What differs is that
others write at the same time. `Database.write` runs at SERIALIZABLE, so that a function may read, decide and write as
if it were alone; a group that collides with another node's is run again. `Database.write_together`, for what comes by
the thousand, runs at READ COMMITTED: its work must be right with others beside it, by single statements and locks.
"""
