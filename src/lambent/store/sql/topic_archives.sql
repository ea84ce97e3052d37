-- name: lock_topic
-- Until the end of the transaction, nobody else archives a message of this topic.
SELECT 1;

-- name: lock_topic (postgres)
SELECT pg_advisory_xact_lock(hashtextextended(CAST(:topic_arn AS TEXT), 1));

-- name: archive
INSERT INTO topic_archive (topic_arn, archived_at, document, data_key)
VALUES (:topic_arn, :archived_at, :document, :data_key);

-- name: latest
SELECT max(archived_at) FROM topic_archive WHERE topic_arn = :topic_arn;

-- name: held
SELECT subscription_arn FROM topic_replays WHERE topic_arn = :topic_arn AND holds = 1;

-- name: page
SELECT archived_at, number, document, data_key FROM topic_archive
WHERE topic_arn = :topic_arn AND (archived_at, number) > (:after_at, :after_number)
    AND archived_at >= :oldest AND archived_at <= :latest
ORDER BY archived_at, number LIMIT :limit;

-- name: put_replay
INSERT INTO topic_replays (subscription_arn, topic_arn, holds, is_over, document)
VALUES (:subscription_arn, :topic_arn, :holds, :is_over, :document)
ON CONFLICT (subscription_arn) DO UPDATE SET
    holds = excluded.holds, is_over = excluded.is_over, document = excluded.document;

-- name: advance
UPDATE topic_replays SET holds = :holds, is_over = :is_over, document = :document
WHERE subscription_arn = :subscription_arn AND document = :previous;

-- name: delete_replay
DELETE FROM topic_replays WHERE subscription_arn = :arn;

-- name: delete_replays
DELETE FROM topic_replays WHERE topic_arn = :arn;

-- name: replays
SELECT document FROM topic_replays WHERE is_over = 0 ORDER BY subscription_arn;

-- name: replay
SELECT document FROM topic_replays WHERE subscription_arn = :subscription_arn;

-- name: sweep
DELETE FROM topic_archive WHERE number IN (
    SELECT number FROM topic_archive WHERE topic_arn = :topic_arn AND archived_at < :oldest
    ORDER BY archived_at LIMIT :limit
);

-- name: topic_after
SELECT min(topic_arn) FROM topic_archive WHERE topic_arn > :topic_arn;
