-- name: insert_group
INSERT INTO log_groups (account_id, region, name, retention_days, document)
VALUES (:account_id, :region, :name, :retention_days, :document)
ON CONFLICT DO NOTHING;

-- name: get_group
SELECT document, stored_bytes FROM log_groups
WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: find_group
SELECT id, retention_days, span_ms FROM log_groups
WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: replace_group
UPDATE log_groups SET retention_days = :retention_days, document = :document
WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: delete_group
DELETE FROM log_groups WHERE id = :group_id;

-- name: delete_streams
DELETE FROM log_streams WHERE group_id = :group_id;

-- name: discard_group
INSERT INTO log_garbage (stream_id) SELECT id FROM log_streams WHERE group_id = :group_id;

-- name: page_groups
SELECT document, stored_bytes FROM log_groups
WHERE account_id = :account_id AND region = :region AND name > :after AND name >= :prefix AND name < :prefix_end
    AND instr(name, :pattern) > 0
ORDER BY name LIMIT :limit;

-- name: insert_stream
INSERT INTO log_streams (group_id, name, created_ms) VALUES (:group_id, :name, :created_ms)
ON CONFLICT DO NOTHING;

-- name: find_stream
SELECT id FROM log_streams WHERE group_id = :group_id AND name = :name;

-- name: get_stream
SELECT s.name, s.created_ms, s.first_event_ms, s.last_event_ms, s.last_ingestion_ms, s.stored_bytes
FROM log_groups AS g JOIN log_streams AS s ON s.group_id = g.id
WHERE g.account_id = :account_id AND g.region = :region AND g.name = :group AND s.name = :name;

-- name: delete_stream
DELETE FROM log_streams WHERE group_id = :group_id AND name = :name RETURNING id, stored_bytes;

-- name: discard_stream
INSERT INTO log_garbage (stream_id) VALUES (:stream_id);

-- name: page_streams_by_name
SELECT name, created_ms, first_event_ms, last_event_ms, last_ingestion_ms, stored_bytes FROM log_streams
WHERE group_id = :group_id AND name > :after_name AND name >= :prefix AND name < :prefix_end
ORDER BY name LIMIT :limit;

-- name: page_streams_by_name_descending
SELECT name, created_ms, first_event_ms, last_event_ms, last_ingestion_ms, stored_bytes FROM log_streams
WHERE group_id = :group_id AND name < :after_name AND name >= :prefix AND name < :prefix_end
ORDER BY name DESC LIMIT :limit;

-- name: page_streams_by_last_event
SELECT name, created_ms, first_event_ms, last_event_ms, last_ingestion_ms, stored_bytes FROM log_streams
WHERE group_id = :group_id AND (last_event_ms, name) > (:after_ms, :after_name)
    AND name || '' >= :prefix AND name || '' < :prefix_end
ORDER BY last_event_ms, name LIMIT :limit;

-- name: page_streams_by_last_event_descending
SELECT name, created_ms, first_event_ms, last_event_ms, last_ingestion_ms, stored_bytes FROM log_streams
WHERE group_id = :group_id AND (last_event_ms, name) < (:after_ms, :after_name)
    AND name || '' >= :prefix AND name || '' < :prefix_end
ORDER BY last_event_ms DESC, name DESC LIMIT :limit;

-- name: insert_batch
INSERT INTO log_batches (group_id, stream_id, first_ms, last_ms, stored_bytes, events)
VALUES (?, ?, ?, ?, ?, ?);

-- name: grow_stream
UPDATE log_streams SET
    first_event_ms = CASE WHEN first_event_ms <= :first_ms THEN first_event_ms ELSE :first_ms END,
    last_event_ms = CASE WHEN last_event_ms >= :last_ms THEN last_event_ms ELSE :last_ms END,
    last_ingestion_ms =
        CASE WHEN last_ingestion_ms >= :last_ingestion_ms THEN last_ingestion_ms ELSE :last_ingestion_ms END,
    stored_bytes = stored_bytes + :stored_bytes
WHERE id = :stream_id;

-- name: grow_group
UPDATE log_groups SET stored_bytes = stored_bytes + :stored_bytes,
    span_ms = CASE WHEN span_ms >= :span_ms THEN span_ms ELSE :span_ms END
WHERE id = :group_id;

-- name: batches_of_group
SELECT first_ms, id FROM log_batches
WHERE group_id = :scope_id AND first_ms >= :earliest_ms AND first_ms < :end_ms AND last_ms >= :start_ms
ORDER BY first_ms;

-- name: batches_of_group_descending
SELECT first_ms, id FROM log_batches
WHERE group_id = :scope_id AND first_ms >= :earliest_ms AND first_ms < :end_ms AND last_ms >= :start_ms
ORDER BY first_ms DESC;

-- name: batches_of_stream
SELECT first_ms, id FROM log_batches
WHERE stream_id = :scope_id AND first_ms >= :earliest_ms AND first_ms < :end_ms AND last_ms >= :start_ms
ORDER BY first_ms;

-- name: batches_of_stream_descending
SELECT first_ms, id FROM log_batches
WHERE stream_id = :scope_id AND first_ms >= :earliest_ms AND first_ms < :end_ms AND last_ms >= :start_ms
ORDER BY first_ms DESC;

-- name: load_batch
SELECT s.name, b.events FROM log_batches AS b JOIN log_streams AS s ON s.id = b.stream_id WHERE b.id = ?;

-- name: retained_groups
SELECT id, retention_days FROM log_groups WHERE retention_days IS NOT NULL;

-- name: expire_batches
DELETE FROM log_batches WHERE id IN (
    SELECT id FROM log_batches
    WHERE group_id = :group_id AND first_ms < :cutoff_ms AND last_ms < :cutoff_ms
    ORDER BY first_ms LIMIT :limit
)
RETURNING stream_id, stored_bytes;

-- name: shrink_stream
UPDATE log_streams SET
    stored_bytes = stored_bytes - :stored_bytes,
    first_event_ms = (SELECT min(first_ms) FROM log_batches WHERE stream_id = :stream_id)
WHERE id = :stream_id;

-- name: shrink_group
UPDATE log_groups SET stored_bytes = stored_bytes - :stored_bytes WHERE id = :group_id;

-- name: garbage
SELECT stream_id FROM log_garbage LIMIT 1;

-- name: delete_garbage
DELETE FROM log_batches WHERE id IN (SELECT id FROM log_batches WHERE stream_id = :stream_id LIMIT :limit);

-- name: forget_garbage
DELETE FROM log_garbage WHERE stream_id = :stream_id;
