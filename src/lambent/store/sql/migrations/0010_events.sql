-- Named records of small services, by kind. due_at is when the service wants to look at one again.
CREATE TABLE named_records (
    kind TEXT NOT NULL,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    parent TEXT NOT NULL,
    name TEXT NOT NULL,
    due_at REAL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, account_id, region, parent, name)
) STRICT;

CREATE INDEX named_records_due ON named_records (kind, due_at) WHERE due_at IS NOT NULL;

-- What rules and schedules have still to deliver. due_at is also when a claim runs out.
CREATE TABLE target_deliveries (
    number INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    due_at REAL NOT NULL,
    owner TEXT,
    document TEXT NOT NULL
) STRICT;

CREATE INDEX target_deliveries_due ON target_deliveries (queue, due_at, number);
CREATE INDEX target_deliveries_claimed ON target_deliveries (queue, owner) WHERE owner IS NOT NULL;

-- Out of row: claiming and retrying rewrite the rows above, and an event may have 1 MB.
CREATE TABLE target_payloads (
    number INTEGER PRIMARY KEY,
    payload BLOB NOT NULL,
    event BLOB
) STRICT;

-- number is never reused: a replay goes on behind the last one that it has sent.
CREATE TABLE archived_events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    archive_id TEXT NOT NULL,
    time REAL NOT NULL,
    archived_at REAL NOT NULL,
    event BLOB NOT NULL
) STRICT;

CREATE INDEX archived_events_by_time ON archived_events (archive_id, time, number);
