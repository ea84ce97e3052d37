-- name: insert
INSERT INTO code_signing_configs (account_id, region, id, document) VALUES (:account_id, :region, :id, :document);

-- name: get
SELECT document FROM code_signing_configs WHERE account_id = :account_id AND region = :region AND id = :id;

-- name: replace
UPDATE code_signing_configs SET document = :document
WHERE account_id = :account_id AND region = :region AND id = :id;

-- name: delete
DELETE FROM code_signing_configs WHERE account_id = :account_id AND region = :region AND id = :id;

-- name: page
SELECT document FROM code_signing_configs
WHERE account_id = :account_id AND region = :region AND id > :after ORDER BY id LIMIT :limit;

-- name: attach
INSERT INTO function_code_signing (account_id, region, name, config_id)
VALUES (:account_id, :region, :name, :id)
ON CONFLICT (account_id, region, name) DO UPDATE SET config_id = excluded.config_id;

-- name: detach
DELETE FROM function_code_signing WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: attached
SELECT c.document FROM function_code_signing AS f
JOIN code_signing_configs AS c ON c.account_id = f.account_id AND c.region = f.region AND c.id = f.config_id
WHERE f.account_id = :account_id AND f.region = :region AND f.name = :name;

-- name: page_functions
SELECT name FROM function_code_signing
WHERE account_id = :account_id AND region = :region AND config_id = :id AND name > :after
ORDER BY name LIMIT :limit;
