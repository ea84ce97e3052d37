-- Who serves from this database. Times are of the database's own clock; beats counts renewals.
CREATE TABLE nodes (
    id TEXT PRIMARY KEY,
    incarnation TEXT NOT NULL,
    address TEXT NOT NULL,
    zone TEXT NOT NULL,
    roles TEXT NOT NULL,
    version TEXT NOT NULL,
    joined_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    beats INTEGER NOT NULL
) STRICT;

-- A lease that nobody holds stays, so that its tokens go on growing.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT,
    token INTEGER NOT NULL,
    expires_at REAL NOT NULL
) STRICT;

CREATE INDEX leases_by_holder ON leases (holder) WHERE holder IS NOT NULL;

-- What was written that nodes answer from memory: written in the transaction of the change, read by every node.
CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;

CREATE INDEX changes_by_time ON changes (at);
