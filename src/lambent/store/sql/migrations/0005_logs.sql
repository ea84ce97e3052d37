-- AUTOINCREMENT: what a deleted group or stream has left behind must never come to belong to a new one.
CREATE TABLE log_groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    retention_days INTEGER,
    stored_bytes INTEGER NOT NULL DEFAULT 0,
    span_ms INTEGER NOT NULL DEFAULT 0, -- the longest batch of the group: how far back a read has to look
    document TEXT NOT NULL,
    UNIQUE (account_id, region, name)
) STRICT;

CREATE INDEX log_groups_retained ON log_groups (id) WHERE retention_days IS NOT NULL;

-- first_event_ms is null when there are no events; last_event_ms is then 0, so that it can be ordered by.
CREATE TABLE log_streams (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    first_event_ms INTEGER,
    last_event_ms INTEGER NOT NULL DEFAULT 0,
    last_ingestion_ms INTEGER,
    stored_bytes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (group_id, name)
) STRICT;

CREATE INDEX log_streams_by_last_event ON log_streams (group_id, last_event_ms, name);

-- One row is one batch of events (store/log_batches.py); an event's id is made of its batch's, which is never reused.
CREATE TABLE log_batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id INTEGER NOT NULL,
    stream_id INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    stored_bytes INTEGER NOT NULL,
    events BLOB NOT NULL
) STRICT;

CREATE INDEX log_batches_by_group ON log_batches (group_id, first_ms, last_ms, stream_id);
CREATE INDEX log_batches_by_stream ON log_batches (stream_id, first_ms, last_ms);

-- Deleted streams whose batches are still there: a group may have a million, and deleting them at once would hold up
-- every other write. `expire` deletes them bit by bit.
CREATE TABLE log_garbage (
    stream_id INTEGER PRIMARY KEY
) STRICT;
