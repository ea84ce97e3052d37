-- name: get
SELECT document FROM function_policies
WHERE account_id = :account_id AND region = :region AND name = :name AND qualifier = :qualifier;

-- name: denying
SELECT DISTINCT account_id, region, name FROM function_policies WHERE denies = 1;

-- name: put
INSERT INTO function_policies (account_id, region, name, qualifier, denies, document)
VALUES (:account_id, :region, :name, :qualifier, :denies, :document)
ON CONFLICT (account_id, region, name, qualifier) DO UPDATE SET denies = excluded.denies, document = excluded.document;

-- name: delete
DELETE FROM function_policies
WHERE account_id = :account_id AND region = :region AND name = :name AND qualifier = :qualifier;

-- name: function
SELECT document FROM functions WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: version
SELECT document FROM function_versions
WHERE account_id = :account_id AND region = :region AND name = :name AND version = :version;

-- name: alias
SELECT document FROM aliases
WHERE account_id = :account_id AND region = :region AND function_name = :name AND name = :qualifier;

-- name: revise_function
UPDATE functions SET revision_id = :revision_id, document = :attached_to
WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: revise_version
UPDATE function_versions SET document = :attached_to
WHERE account_id = :account_id AND region = :region AND name = :name AND version = :version;

-- name: revise_alias
UPDATE aliases SET revision_id = :revision_id, document = :attached_to
WHERE account_id = :account_id AND region = :region AND function_name = :name AND name = :qualifier;
