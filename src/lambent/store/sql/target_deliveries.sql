-- name: insert
INSERT INTO target_deliveries (queue, line, due_at, document) VALUES (:queue, :line, :due_at, :document)
RETURNING number;

-- name: lock_line
-- Until the end of the transaction, nobody else sees or changes who stands in this line.
SELECT 1;

-- name: lock_line (postgres)
SELECT pg_advisory_xact_lock(hashtextextended(CAST(:line AS TEXT), 0));

-- name: in_line
SELECT EXISTS (SELECT 1 FROM target_deliveries WHERE queue = :queue AND line = :line);

-- name: insert_payload
INSERT INTO target_payloads (number, payload, event) VALUES (:number, :payload, :event);

-- name: due
SELECT number FROM target_deliveries WHERE queue = :queue AND due_at <= :now ORDER BY due_at, number LIMIT :limit
-- postgres: FOR UPDATE SKIP LOCKED
;

-- name: claim
UPDATE target_deliveries SET owner = :owner, due_at = :held_back
WHERE number IN (SELECT value FROM json_each(:numbers));

-- name: claimed
SELECT d.number, d.document, p.payload, p.event FROM json_each(:numbers) AS claimed
JOIN target_deliveries AS d ON d.number = claimed.value
JOIN target_payloads AS p ON p.number = claimed.value
ORDER BY claimed.key;

-- name: complete
DELETE FROM target_deliveries WHERE number = :number AND owner = :owner RETURNING queue, line;

-- name: next_in_line
UPDATE target_deliveries SET due_at = 0
WHERE number = (SELECT min(number) FROM target_deliveries WHERE queue = :queue AND line = :line);

-- name: release_lines
-- Of those that two nodes left behind, of which each saw what the other was about to change.
UPDATE target_deliveries SET due_at = 0 WHERE number IN (
    SELECT min(number) FROM target_deliveries WHERE queue = :queue AND line IS NOT NULL GROUP BY line
) AND owner IS NULL AND due_at >= :held_back;

-- name: delete_payload
DELETE FROM target_payloads WHERE number = :number;

-- name: retry
UPDATE target_deliveries SET owner = NULL, due_at = :due_at, document = :document
WHERE number = :number AND owner = :owner;

-- name: release
UPDATE target_deliveries SET owner = NULL, due_at = :now
WHERE queue = :queue AND owner = :owner AND number NOT IN (SELECT value FROM json_each(:known));

-- name: release_lost
UPDATE target_deliveries SET owner = NULL, due_at = :now
WHERE queue = :queue AND owner IS NOT NULL AND owner NOT IN (SELECT id FROM nodes);

-- name: hasten
UPDATE target_deliveries SET due_at = :now
WHERE queue = :queue AND owner IS NULL AND due_at > :latest AND due_at < :held_back;

-- name: next_due
SELECT min(due_at) FROM target_deliveries WHERE queue = :queue AND due_at < :held_back;

-- name: depth
SELECT count(*) FROM target_deliveries WHERE queue = :queue;
