-- name: next_ids
-- The first of them where they follow each other, or all of them.
SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'queue_messages'), 0) + 1, NULL;

-- name: next_ids (postgres)
SELECT 0, CAST(coalesce(json_agg(nextval(pg_get_serial_sequence('queue_messages', 'id'))), '[]') AS TEXT)
FROM generate_series(1, CAST(:count AS BIGINT));

-- name: change_depth
UPDATE queue_depths SET messages = messages + :change WHERE queue_id = :queue_id;

-- name: insert
INSERT INTO queue_messages (id, queue_id, fifo_group, visible_at, sent_at, first_received_at)
VALUES (?, ?, ?, ?, ?, ?);

-- name: insert_document
INSERT INTO queue_message_documents (id, document) VALUES (?, ?);

-- name: duplicate
SELECT sent_id, message_id FROM queue_deduplications
WHERE queue_id = :queue_id AND scope = :scope AND deduplication_id = :deduplication_id AND until > :now;

-- name: remember
INSERT INTO queue_deduplications (queue_id, scope, deduplication_id, message_id, sent_id, until)
VALUES (:queue_id, :scope, :deduplication_id, :message_id, :sent_id, :until)
ON CONFLICT (queue_id, scope, deduplication_id)
DO UPDATE SET message_id = excluded.message_id, sent_id = excluded.sent_id, until = excluded.until
WHERE queue_deduplications.until <= :now;

-- name: forget
DELETE FROM queue_deduplications WHERE until <= :now;

-- name: forget_sooner
UPDATE queue_deduplications SET until = :latest WHERE until > :latest;

-- name: add_group
-- The row of a group is written by everybody who changes what is in it, so that they wait for each other.
INSERT INTO queue_groups (queue_id, name, available_at, head) VALUES (?, ?, ?, ?)
ON CONFLICT (queue_id, name) DO UPDATE SET head = queue_groups.head;

-- name: lock_group
SELECT 1 FROM queue_groups WHERE queue_id = :queue_id AND name = :group
-- postgres: FOR UPDATE
;

-- name: visible
-- Those that were never received, and the others: each as one text, since every row that is fetched gives the
-- interpreter lock up. One statement over both would sort them, which takes three times as long.
SELECT
    (SELECT group_concat(
        '[' || visible_at || ',' || id || ',' || receive_count || ',' || sent_at || ','
        || coalesce(CAST(first_received_at AS TEXT), 'null') || ','
        || (SELECT document FROM queue_message_documents WHERE queue_message_documents.id = new.id) || ']',
        ','
    ) FROM (
        SELECT id, visible_at, receive_count, sent_at, first_received_at FROM queue_messages
        WHERE queue_id = :queue_id AND receive_count = 0 AND visible_at <= :now
        ORDER BY visible_at, id LIMIT :limit
        -- postgres: FOR UPDATE SKIP LOCKED
    ) AS new),
    (SELECT group_concat(
        '[' || visible_at || ',' || id || ',' || receive_count || ',' || sent_at || ','
        || coalesce(CAST(first_received_at AS TEXT), 'null') || ','
        || (SELECT document FROM queue_message_documents WHERE queue_message_documents.id = again.id) || ']',
        ','
    ) FROM (
        SELECT id, visible_at, receive_count, sent_at, first_received_at FROM queue_messages
        WHERE queue_id = :queue_id AND receive_count > 0 AND visible_at <= :now
        ORDER BY visible_at, id LIMIT :limit
        -- postgres: FOR UPDATE SKIP LOCKED
    ) AS again);

-- name: groups
SELECT name FROM queue_groups WHERE queue_id = :queue_id AND available_at <= :now
ORDER BY available_at, head LIMIT :limit
-- postgres: FOR UPDATE SKIP LOCKED
;

-- name: of_group
SELECT m.visible_at, m.id, m.receive_count, m.sent_at, m.first_received_at, d.document
FROM queue_messages AS m JOIN queue_message_documents AS d ON d.id = m.id
WHERE m.queue_id = :queue_id AND m.fifo_group = :group
ORDER BY m.id LIMIT :limit;

-- name: receive
UPDATE queue_messages SET receive_count = receive_count + 1, visible_at = :until, received_at = :now,
    first_received_at = coalesce(first_received_at, :now)
WHERE id IN (SELECT value FROM json_each(:ids));

-- name: next_due
SELECT min(due) FROM (
    SELECT min(visible_at) AS due FROM queue_messages
    WHERE queue_id = :queue_id AND receive_count = 0 AND visible_at > :now
    UNION ALL
    SELECT min(visible_at) FROM queue_messages
    WHERE queue_id = :queue_id AND receive_count > 0 AND visible_at > :now
) AS hidden;

-- name: receipts
SELECT CAST(
    json_group_array(json_array(queue_id, id, receive_count, visible_at, received_at, fifo_group)) AS TEXT
) FROM (
    SELECT * FROM queue_messages WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY id
    -- postgres: FOR UPDATE
) AS held;

-- name: hide
UPDATE queue_messages SET visible_at = :until WHERE id = :id;

-- name: delete
DELETE FROM queue_messages WHERE id IN (SELECT value FROM json_each(:ids));

-- name: delete_documents
DELETE FROM queue_message_documents WHERE id IN (SELECT value FROM json_each(:ids));

-- name: head_of_group
SELECT id, visible_at FROM queue_messages WHERE queue_id = :queue_id AND fifo_group = :group ORDER BY id LIMIT 1;

-- name: set_group
INSERT INTO queue_groups (queue_id, name, available_at, head) VALUES (:queue_id, :group, :available_at, :head)
ON CONFLICT (queue_id, name) DO UPDATE SET available_at = excluded.available_at, head = excluded.head;

-- name: delete_group
DELETE FROM queue_groups WHERE queue_id = :queue_id AND name = :group;

-- name: depth
SELECT coalesce((SELECT messages FROM queue_depths WHERE queue_id = :queue_id), 0),
    (SELECT count(*) FROM queue_messages
     WHERE queue_id = :queue_id AND receive_count > 0 AND visible_at > :now),
    (SELECT count(*) FROM queue_messages
     WHERE queue_id = :queue_id AND receive_count = 0 AND visible_at > :now);

-- name: expired
-- What became visible that long ago was sent before: what is hidden for now is deleted when its time has come.
SELECT id, fifo_group FROM (
    SELECT id, fifo_group FROM queue_messages
    WHERE queue_id = :queue_id AND receive_count = 0 AND visible_at <= :expired_at
    UNION ALL
    SELECT id, fifo_group FROM queue_messages
    WHERE queue_id = :queue_id AND receive_count > 0 AND visible_at <= :expired_at
) AS old LIMIT :limit;

-- name: bring_back
-- Of those that are hidden: for as long from now as it was from then, which is yet to come.
UPDATE queue_messages
SET visible_at = visible_at - (coalesce(received_at, sent_at) - :now),
    sent_at = CASE WHEN sent_at > :now THEN :now ELSE sent_at END,
    received_at = CASE WHEN received_at > :now THEN :now ELSE received_at END,
    first_received_at = CASE WHEN first_received_at > :now THEN :now ELSE first_received_at END
WHERE queue_id = :queue_id AND visible_at > :now AND coalesce(received_at, sent_at) > :now
    AND (receive_count = 0 OR receive_count > 0)
RETURNING fifo_group;

-- name: oldest
SELECT min(sent_at) FROM (
    SELECT sent_at FROM (
        SELECT sent_at FROM queue_messages WHERE queue_id = :queue_id AND receive_count = 0
        ORDER BY visible_at LIMIT 1
    ) AS new
    UNION ALL
    SELECT sent_at FROM (
        SELECT sent_at FROM queue_messages WHERE queue_id = :queue_id AND receive_count > 0
        ORDER BY visible_at LIMIT 1
    ) AS again
) AS oldest;
