"""The embedded engine: one SQLite database in WAL mode."""
