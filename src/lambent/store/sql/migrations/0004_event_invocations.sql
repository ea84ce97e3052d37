-- The queue of asynchronous invocations. Enqueueing only appends (to both tables and to event_invocations_due); request
-- ids are random and would touch a page each, so only claimed invocations, which are few, are indexed by theirs.
CREATE TABLE event_invocations (
    id INTEGER PRIMARY KEY,
    request_id TEXT NOT NULL,
    due_at REAL NOT NULL,
    owner TEXT,
    claimed_until REAL,
    document TEXT NOT NULL
) STRICT;

CREATE INDEX event_invocations_due ON event_invocations (due_at) WHERE owner IS NULL;
CREATE INDEX event_invocations_claimed ON event_invocations (owner, request_id) WHERE owner IS NOT NULL;
CREATE INDEX event_invocations_claimed_until ON event_invocations (claimed_until) WHERE owner IS NOT NULL;

-- Out of row: claiming, retrying and releasing rewrite the rows above, and a payload may have 1 MB.
CREATE TABLE event_payloads (
    id INTEGER PRIMARY KEY,
    payload BLOB NOT NULL
) STRICT;
