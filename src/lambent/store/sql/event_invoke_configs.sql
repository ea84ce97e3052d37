-- name: put
INSERT INTO event_invoke_configs (account_id, region, name, qualifier, document)
SELECT account_id, region, name, :qualifier, :document FROM functions
WHERE account_id = :account_id AND region = :region AND name = :name
ON CONFLICT (account_id, region, name, qualifier) DO UPDATE SET document = excluded.document;

-- name: get
SELECT document FROM event_invoke_configs
WHERE account_id = :account_id AND region = :region AND name = :name AND qualifier = :qualifier;

-- name: delete
DELETE FROM event_invoke_configs
WHERE account_id = :account_id AND region = :region AND name = :name AND qualifier = :qualifier;

-- name: page
SELECT document FROM event_invoke_configs
WHERE account_id = :account_id AND region = :region AND name = :name AND qualifier > :after
ORDER BY qualifier LIMIT :limit;
