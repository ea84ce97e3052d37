-- name: insert
INSERT INTO functions (account_id, region, name, revision_id, code_bytes, settled, document)
VALUES (:account_id, :region, :name, :revision_id, :code_bytes, :settled, :document)
ON CONFLICT DO NOTHING;

-- name: get
SELECT document FROM functions WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: revision
SELECT revision_id FROM functions WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: replace
UPDATE functions SET revision_id = :revision_id, code_bytes = :code_bytes, settled = :settled, document = :document
WHERE account_id = :account_id AND region = :region AND name = :name AND revision_id = :expected;

-- name: delete
DELETE FROM functions WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: delete_versions
DELETE FROM function_versions WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: delete_aliases
DELETE FROM aliases WHERE account_id = :account_id AND region = :region AND function_name = :name;

-- name: page
SELECT document FROM functions
WHERE account_id = :account_id AND region = :region AND name > :after
ORDER BY name LIMIT :limit;

-- name: insert_version
INSERT INTO function_versions (account_id, region, name, version, code_bytes, settled, document)
VALUES (:account_id, :region, :name, :version, :code_bytes, :settled, :document)
ON CONFLICT DO NOTHING;

-- name: get_version
SELECT document FROM function_versions
WHERE account_id = :account_id AND region = :region AND name = :name AND version = :version;

-- name: replace_version
UPDATE function_versions SET settled = :settled, document = :document
WHERE account_id = :account_id AND region = :region AND name = :name AND version = :version;

-- name: delete_version
DELETE FROM function_versions
WHERE account_id = :account_id AND region = :region AND name = :name AND version = :version;

-- name: page_versions
SELECT document FROM function_versions
WHERE account_id = :account_id AND region = :region AND name = :name AND version > :after
ORDER BY version LIMIT :limit;

-- name: page_all_versions
SELECT document FROM function_versions
WHERE account_id = :account_id AND region = :region AND (name, version) > (:after_name, :after_version)
ORDER BY name, version LIMIT :limit;

-- name: unsettled_functions
SELECT document FROM functions WHERE settled = 0;

-- name: unsettled_versions
SELECT document FROM function_versions WHERE settled = 0;

-- name: usage
SELECT functions, code_bytes FROM function_usage WHERE account_id = :account_id AND region = :region;

-- name: add_code_use
INSERT INTO function_code_uses (digest, account_id, region, name, version)
VALUES (:digest, :account_id, :region, :name, :version);

-- name: drop_code_uses
DELETE FROM function_code_uses
WHERE account_id = :account_id AND region = :region AND name = :name AND version = :version;

-- name: drop_all_code_uses
DELETE FROM function_code_uses WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: uses_code
SELECT EXISTS (SELECT 1 FROM function_code_uses WHERE digest = :digest);

-- name: insert_alias
INSERT INTO aliases (account_id, region, function_name, name, revision_id, version, weighted_versions, document)
VALUES (:account_id, :region, :function_name, :name, :revision_id, :version, :weighted_versions, :document)
ON CONFLICT DO NOTHING;

-- name: get_alias
SELECT document FROM aliases
WHERE account_id = :account_id AND region = :region AND function_name = :function_name AND name = :name;

-- name: alias_revision
SELECT revision_id FROM aliases
WHERE account_id = :account_id AND region = :region AND function_name = :function_name AND name = :name;

-- name: replace_alias
UPDATE aliases
SET revision_id = :revision_id, version = :version, weighted_versions = :weighted_versions, document = :document
WHERE account_id = :account_id AND region = :region AND function_name = :function_name AND name = :name
    AND revision_id = :expected;

-- name: delete_alias
DELETE FROM aliases
WHERE account_id = :account_id AND region = :region AND function_name = :function_name AND name = :name;

-- name: page_aliases
SELECT document FROM aliases
WHERE account_id = :account_id AND region = :region AND function_name = :function_name AND name > :after
    AND (CAST(:version AS TEXT) IS NULL OR version = :version OR instr(weighted_versions, ',' || :version || ',') > 0)
ORDER BY name LIMIT :limit;
