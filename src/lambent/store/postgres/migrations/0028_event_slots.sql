-- The queue of events lies in four slots, of which one takes what is new. One whose events are over is truncated, instead of
-- vacuumed row by row (store/postgres/event_slots.py). The highest bits of an id say in which slot its event is; older
-- nodes, whose ids have none, append to the first.
CREATE TABLE event_slots (slot BIGINT PRIMARY KEY);

ALTER TABLE event_invocations RENAME TO event_invocations_before;
ALTER TABLE event_payloads RENAME TO event_payloads_before;
ALTER INDEX event_invocations_due RENAME TO event_invocations_due_before;
ALTER INDEX event_invocations_claimed RENAME TO event_invocations_claimed_before;

CREATE TABLE event_invocations (
    id BIGINT PRIMARY KEY,
    request_id TEXT COLLATE "C" NOT NULL,
    due_at DOUBLE PRECISION NOT NULL,
    owner TEXT COLLATE "C",
    claimed_until DOUBLE PRECISION,
    document TEXT COLLATE "C" NOT NULL,
    line TEXT COLLATE "C" NOT NULL DEFAULT ''
) PARTITION BY RANGE (id);

CREATE TABLE event_payloads (
    id BIGINT PRIMARY KEY,
    payload BYTEA NOT NULL
) PARTITION BY RANGE (id);

CREATE TABLE event_invocations_0 PARTITION OF event_invocations FOR VALUES FROM (0) TO (72057594037927936);
CREATE TABLE event_invocations_1 PARTITION OF event_invocations FOR VALUES FROM (72057594037927936) TO (144115188075855872);
CREATE TABLE event_invocations_2 PARTITION OF event_invocations FOR VALUES FROM (144115188075855872) TO (216172782113783808);
CREATE TABLE event_invocations_3 PARTITION OF event_invocations FOR VALUES FROM (216172782113783808) TO (288230376151711744);
CREATE TABLE event_payloads_0 PARTITION OF event_payloads FOR VALUES FROM (0) TO (72057594037927936);
CREATE TABLE event_payloads_1 PARTITION OF event_payloads FOR VALUES FROM (72057594037927936) TO (144115188075855872);
CREATE TABLE event_payloads_2 PARTITION OF event_payloads FOR VALUES FROM (144115188075855872) TO (216172782113783808);
CREATE TABLE event_payloads_3 PARTITION OF event_payloads FOR VALUES FROM (216172782113783808) TO (288230376151711744);

CREATE INDEX event_invocations_due ON event_invocations (line, due_at, id) WHERE owner IS NULL;
CREATE INDEX event_invocations_claimed ON event_invocations (owner) WHERE owner IS NOT NULL;

-- Owned by the column, where older nodes look for it.
CREATE SEQUENCE event_ids OWNED BY event_payloads.id;
SELECT setval('event_ids', (SELECT coalesce(max(id), 0) + 1 FROM event_payloads_before), false);

INSERT INTO event_invocations (id, request_id, due_at, owner, claimed_until, document, line)
SELECT id, request_id, due_at, owner, claimed_until, document, line FROM event_invocations_before;
INSERT INTO event_payloads (id, payload) SELECT id, payload FROM event_payloads_before;
DROP TABLE event_invocations_before;
DROP TABLE event_payloads_before;
