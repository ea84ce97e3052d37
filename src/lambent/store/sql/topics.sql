-- name: topics
SELECT document FROM topics ORDER BY arn;

-- name: subscriptions
SELECT document FROM topic_subscriptions ORDER BY number;

-- name: put_topic
INSERT INTO topics (arn, document) VALUES (:arn, :document) ON CONFLICT (arn) DO UPDATE SET document = excluded.document;

-- name: delete_topic
DELETE FROM topics WHERE arn = :arn;

-- name: delete_subscriptions
DELETE FROM topic_subscriptions WHERE topic_arn = :arn;

-- name: put_subscription
INSERT INTO topic_subscriptions (arn, topic_arn, document) VALUES (:arn, :topic_arn, :document)
ON CONFLICT (arn) DO UPDATE SET document = excluded.document;

-- name: delete_subscription
DELETE FROM topic_subscriptions WHERE arn = :arn;

-- name: duplicate
SELECT message_id, sequence_number FROM topic_deduplications
WHERE topic_arn = :topic_arn AND scope = :scope AND deduplication_id = :deduplication_id AND until > :now;

-- name: remember
INSERT INTO topic_deduplications (topic_arn, scope, deduplication_id, message_id, sequence_number, until)
VALUES (:topic_arn, :scope, :deduplication_id, :message_id, :sequence_number, :until)
ON CONFLICT (topic_arn, scope, deduplication_id) DO UPDATE SET
    message_id = excluded.message_id, sequence_number = excluded.sequence_number, until = excluded.until
WHERE topic_deduplications.until <= :now;

-- name: forget
DELETE FROM topic_deduplications WHERE until <= :now;

-- name: forget_sooner
UPDATE topic_deduplications SET until = :latest WHERE until > :latest;
