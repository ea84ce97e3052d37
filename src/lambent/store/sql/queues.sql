-- name: all
SELECT id, document FROM queues ORDER BY id;

-- name: insert
INSERT INTO queues (account_id, region, name, document) VALUES (:account_id, :region, :name, :document)
ON CONFLICT DO NOTHING RETURNING id;

-- name: insert_depth
INSERT INTO queue_depths (queue_id, messages) VALUES (:id, 0);

-- name: replace
UPDATE queues SET document = :document WHERE id = :id;

-- name: delete
DELETE FROM queues WHERE id = :id;

-- name: delete_depth
DELETE FROM queue_depths WHERE queue_id = :id;

-- name: discard
INSERT INTO discarded_queues (queue_id) VALUES (:id);

-- name: next_discarded
SELECT queue_id FROM discarded_queues LIMIT 1;

-- name: discarded_messages
SELECT id FROM (
    SELECT id FROM queue_messages WHERE queue_id = :id AND receive_count = 0
    UNION ALL
    SELECT id FROM queue_messages WHERE queue_id = :id AND receive_count > 0
) AS discarded LIMIT :limit;

-- name: delete_messages
DELETE FROM queue_messages WHERE id IN (SELECT value FROM json_each(:ids));

-- name: delete_documents
DELETE FROM queue_message_documents WHERE id IN (SELECT value FROM json_each(:ids));

-- name: delete_groups
DELETE FROM queue_groups WHERE queue_id = :id AND name IN (
    SELECT name FROM queue_groups WHERE queue_id = :id LIMIT :limit
);

-- name: delete_deduplications
DELETE FROM queue_deduplications WHERE queue_id = :id AND (scope, deduplication_id) IN (
    SELECT scope, deduplication_id FROM queue_deduplications WHERE queue_id = :id LIMIT :limit
);

-- name: forget_discarded
DELETE FROM discarded_queues WHERE queue_id = :id;
