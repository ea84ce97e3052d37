-- name: get
SELECT document FROM function_policies
WHERE account_id = :account_id AND region = :region AND name = :name AND qualifier = :qualifier;

-- name: denying
SELECT DISTINCT account_id, region, name FROM function_policies WHERE denies = 1;

-- name: put
INSERT INTO function_policies (account_id, region, name, qualifier, denies, document)
VALUES (:account_id, :region, :name, :qualifier, :denies, :document)
ON CONFLICT DO UPDATE SET denies = excluded.denies, document = excluded.document;

-- name: delete
DELETE FROM function_policies
WHERE account_id = :account_id AND region = :region AND name = :name AND qualifier = :qualifier;

-- name: revise_function
UPDATE functions
SET revision_id = :revision_id, document = json_set(document, '$.latest.revision_id', :revision_id)
WHERE account_id = :account_id AND region = :region AND name = :name AND revision_id = :expected;

-- name: revise_version
UPDATE function_versions SET document = json_set(document, '$.revision_id', :revision_id)
WHERE account_id = :account_id AND region = :region AND name = :name AND version = :qualifier
AND json_extract(document, '$.revision_id') = :expected;

-- name: revise_alias
UPDATE aliases SET revision_id = :revision_id, document = json_set(document, '$.revision_id', :revision_id)
WHERE account_id = :account_id AND region = :region AND function_name = :name AND name = :qualifier
AND revision_id = :expected;

-- name: function_exists
SELECT 1 FROM functions WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: version_exists
SELECT 1 FROM function_versions
WHERE account_id = :account_id AND region = :region AND name = :name AND version = :qualifier;

-- name: alias_exists
SELECT 1 FROM aliases
WHERE account_id = :account_id AND region = :region AND function_name = :name AND name = :qualifier;
