-- name: insert
INSERT INTO target_deliveries (queue, due_at, document) VALUES (:queue, :due_at, :document) RETURNING number;

-- name: insert_payload
INSERT INTO target_payloads (number, payload, event) VALUES (:number, :payload, :event);

-- name: due
SELECT number FROM target_deliveries WHERE queue = :queue AND due_at <= :now ORDER BY due_at, number LIMIT :limit;

-- name: claim
UPDATE target_deliveries SET owner = :owner, due_at = :until WHERE number IN (SELECT value FROM json_each(:numbers));

-- name: claimed
SELECT d.number, d.document, p.payload, p.event FROM json_each(:numbers) AS claimed
JOIN target_deliveries AS d ON d.number = claimed.value
JOIN target_payloads AS p ON p.number = claimed.value
ORDER BY claimed.key;

-- name: complete
DELETE FROM target_deliveries WHERE number = :number AND owner = :owner;

-- name: delete_payload
DELETE FROM target_payloads WHERE number = :number;

-- name: retry
UPDATE target_deliveries SET owner = NULL, due_at = :due_at, document = :document
WHERE number = :number AND owner = :owner;

-- name: release
UPDATE target_deliveries SET owner = NULL, due_at = :now WHERE queue = :queue AND owner = :owner;

-- name: release_lost
UPDATE target_deliveries SET owner = NULL, due_at = :now
WHERE queue = :queue AND owner IS NOT NULL AND owner NOT IN (SELECT id FROM nodes);

-- name: next_due
SELECT min(due_at) FROM target_deliveries WHERE queue = :queue;

-- name: depth
SELECT count(*) FROM target_deliveries WHERE queue = :queue;
