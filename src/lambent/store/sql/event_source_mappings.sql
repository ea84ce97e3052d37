-- name: insert
INSERT INTO event_source_mappings (account_id, region, uuid, function_arn, source_arn, source, document)
VALUES (:account_id, :region, :uuid, :function_arn, :source_arn, :source, :document)
ON CONFLICT DO NOTHING;

-- name: get
SELECT document FROM event_source_mappings WHERE account_id = :account_id AND region = :region AND uuid = :uuid;

-- name: find
SELECT document FROM event_source_mappings
WHERE account_id = :account_id AND region = :region AND function_arn = :function_arn AND source = :source;

-- name: replace
UPDATE event_source_mappings SET function_arn = :function_arn, source = :source, document = :document
WHERE account_id = :account_id AND region = :region AND uuid = :uuid AND NOT EXISTS (
    SELECT 1 FROM event_source_mappings AS other
    WHERE other.account_id = :account_id AND other.region = :region
        AND other.function_arn = :function_arn AND other.source = :source AND other.uuid <> :uuid
);

-- name: delete
DELETE FROM event_source_mappings WHERE account_id = :account_id AND region = :region AND uuid = :uuid;

-- name: page
SELECT document FROM event_source_mappings
WHERE account_id = :account_id AND region = :region AND uuid > :after
ORDER BY uuid LIMIT :limit;

-- name: page_of_source
SELECT document FROM event_source_mappings
WHERE account_id = :account_id AND region = :region AND source_arn = :source_arn AND uuid > :after
ORDER BY uuid LIMIT :limit;

-- name: page_of_function
SELECT document FROM event_source_mappings INDEXED BY event_source_mappings_by_function
WHERE account_id = :account_id AND region = :region AND function_arn = :function_arn AND uuid > :after
    AND (CAST(:source_arn AS TEXT) IS NULL OR source_arn = :source_arn)
ORDER BY uuid LIMIT :limit;

-- name: all
SELECT document FROM event_source_mappings ORDER BY account_id, region, uuid;
