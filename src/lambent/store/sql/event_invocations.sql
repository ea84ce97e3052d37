-- name: next_ids
WITH RECURSIVE ids (id) AS (
    SELECT coalesce(max(id), 0) + 1 FROM event_payloads
    UNION ALL
    SELECT id + 1 FROM ids LIMIT :count
)
SELECT id FROM ids;

-- name: next_ids (postgres)
-- In the slot that takes what is new (store/postgres/event_slots.py).
SELECT coalesce((SELECT min(slot) FROM event_slots), 0) * 72057594037927936 + nextval('event_ids')
FROM generate_series(1, CAST(:count AS BIGINT));

-- name: insert
INSERT INTO event_invocations (id, request_id, line, due_at, document) VALUES (?, ?, ?, ?, ?);

-- name: insert_payload
INSERT INTO event_payloads (id, payload) VALUES (?, ?);

-- name: waiting
-- From one line to the next by the index, without reading what waits between them.
WITH RECURSIVE lines (line) AS (
    SELECT min(line) FROM event_invocations WHERE owner IS NULL
    UNION ALL
    SELECT (SELECT min(line) FROM event_invocations WHERE owner IS NULL AND line > lines.line)
    FROM lines WHERE lines.line IS NOT NULL
)
SELECT line, (
    SELECT min(due_at) FROM event_invocations WHERE owner IS NULL AND line = lines.line
) FROM lines WHERE line IS NOT NULL;

-- name: due
SELECT id FROM event_invocations
WHERE owner IS NULL AND line = :line AND due_at <= :now
ORDER BY due_at, id LIMIT :limit
-- postgres: FOR UPDATE SKIP LOCKED
;

-- name: claim
UPDATE event_invocations SET owner = :owner, claimed_until = :until
WHERE id IN (SELECT value FROM json_each(:ids));

-- name: claimed
SELECT e.id, e.document, p.payload, r.response FROM json_each(:ids) AS claimed
JOIN event_invocations AS e ON e.id = claimed.value
JOIN event_payloads AS p ON p.id = claimed.value
LEFT JOIN event_responses AS r ON r.id = claimed.value
ORDER BY claimed.key;

-- name: held
SELECT id, owner, request_id FROM event_invocations
WHERE id IN (SELECT value FROM json_each(:ids)) AND owner IS NOT NULL
-- postgres: FOR UPDATE
;

-- name: complete
DELETE FROM event_invocations WHERE id IN (SELECT value FROM json_each(:ids));

-- name: delete_payloads
DELETE FROM event_payloads WHERE id IN (SELECT value FROM json_each(:ids));

-- name: delete_responses
DELETE FROM event_responses WHERE id IN (SELECT value FROM json_each(:ids));

-- name: conclude
UPDATE event_invocations SET document = :document
WHERE id = :id AND owner = :owner AND request_id = :request_id;

-- name: put_response
INSERT INTO event_responses (id, response) VALUES (:id, :response)
ON CONFLICT (id) DO UPDATE SET response = excluded.response;

-- name: retry
UPDATE event_invocations SET owner = NULL, claimed_until = NULL, due_at = :due_at, document = :document
WHERE id = :id AND owner = :owner AND request_id = :request_id;

-- name: release
UPDATE event_invocations SET owner = NULL, claimed_until = NULL WHERE owner = :owner;

-- name: release_forgotten
UPDATE event_invocations SET owner = NULL, claimed_until = NULL
WHERE owner IS NOT NULL AND owner = :owner AND id NOT IN (SELECT value FROM json_each(:ids));

-- name: release_expired
UPDATE event_invocations SET owner = NULL, claimed_until = NULL WHERE owner = :owner AND claimed_until <= :now;

-- name: hasten
-- Line by line, as `waiting` does.
UPDATE event_invocations SET due_at = :now
WHERE owner IS NULL AND due_at > :latest AND line IN (
    WITH RECURSIVE lines (line) AS (
        SELECT min(line) FROM event_invocations WHERE owner IS NULL
        UNION ALL
        SELECT (SELECT min(line) FROM event_invocations WHERE owner IS NULL AND line > lines.line)
        FROM lines WHERE lines.line IS NOT NULL
    )
    SELECT line FROM lines WHERE line IS NOT NULL
);

-- name: release_lost
UPDATE event_invocations SET owner = NULL, claimed_until = NULL
WHERE owner IS NOT NULL AND owner NOT IN (SELECT id FROM nodes);

-- name: depth
-- By the two partial indexes, which are a tenth of the table.
SELECT (SELECT count(*) FROM event_invocations WHERE owner IS NULL)
    + (SELECT count(*) FROM event_invocations WHERE owner IS NOT NULL);
