-- name: state
-- Of each slot: whether it takes what is new, how many rows in it have died, and whether it has room on disk at all.
SELECT s.slot, s.slot = coalesce((SELECT min(slot) FROM event_slots), 0),
    coalesce(e.n_dead_tup, 0) + coalesce(p.n_dead_tup, 0),
    pg_relation_size(CAST('event_invocations_' || s.slot AS regclass)) > 0
FROM generate_series(CAST(0 AS BIGINT), CAST(3 AS BIGINT)) AS s (slot)
LEFT JOIN pg_stat_user_tables AS e ON e.relid = CAST('event_invocations_' || s.slot AS regclass)
LEFT JOIN pg_stat_user_tables AS p ON p.relid = CAST('event_payloads_' || s.slot AS regclass)
ORDER BY s.slot;

-- name: forget_current
DELETE FROM event_slots;

-- name: set_current
INSERT INTO event_slots (slot) VALUES (:slot);

-- name: left
-- What is left in a slot, up to `most`, and how many of those nobody holds.
SELECT count(*), count(*) FILTER (WHERE owner IS NULL) FROM (
    SELECT owner FROM event_invocations WHERE id >= :first AND id < :last LIMIT :most
) AS remaining;

-- name: leftover
SELECT id FROM event_invocations WHERE id >= :first AND id < :last AND owner IS NULL FOR UPDATE SKIP LOCKED;

-- name: move_events
UPDATE event_invocations SET id = id + :shift WHERE id IN (SELECT value FROM json_each(:ids));

-- name: move_payloads
UPDATE event_payloads SET id = id + :shift WHERE id IN (SELECT value FROM json_each(:ids));

-- name: move_responses
UPDATE event_responses SET id = id + :shift WHERE id IN (SELECT value FROM json_each(:ids));

-- name: be_impatient
-- Nobody is to queue behind somebody who waits for a table that is in use.
SET LOCAL lock_timeout = '100ms';

-- name: lock
LOCK TABLE {events}, {payloads} IN ACCESS EXCLUSIVE MODE;

-- name: is_empty
SELECT NOT EXISTS (SELECT 1 FROM event_invocations WHERE id >= :first AND id < :last)
    AND NOT EXISTS (SELECT 1 FROM event_payloads WHERE id >= :first AND id < :last);

-- name: truncate
TRUNCATE {events}, {payloads};
