-- name: next_version
INSERT INTO layers (account_id, region, name, last_version, newest_version)
VALUES (:account_id, :region, :name, 1, 1)
ON CONFLICT (account_id, region, name)
DO UPDATE SET last_version = layers.last_version + 1, newest_version = layers.last_version + 1
RETURNING last_version;

-- name: insert
INSERT INTO layer_versions (account_id, region, name, version, digest, code_bytes, policy_revision_id, document)
VALUES (:account_id, :region, :name, :version, :digest, :code_bytes, :policy_revision_id, :document);

-- name: get
SELECT document FROM layer_versions
WHERE account_id = :account_id AND region = :region AND name = :name AND version = :version;

-- name: replace
UPDATE layer_versions SET policy_revision_id = :policy_revision_id, document = :document
WHERE account_id = :account_id AND region = :region AND name = :name AND version = :version
    AND (policy_revision_id = :expected OR (policy_revision_id IS NULL AND CAST(:expected AS TEXT) IS NULL));

-- name: delete
DELETE FROM layer_versions
WHERE account_id = :account_id AND region = :region AND name = :name AND version = :version;

-- name: find_newest
UPDATE layers SET newest_version = (
    SELECT max(version) FROM layer_versions AS v
    WHERE v.account_id = :account_id AND v.region = :region AND v.name = :name
)
WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: page_versions
SELECT document FROM layer_versions
WHERE account_id = :account_id AND region = :region AND name = :name AND version < :before
ORDER BY version DESC LIMIT :limit;

-- name: page_layers
SELECT v.document FROM layers AS l
JOIN layer_versions AS v
    ON v.account_id = l.account_id AND v.region = l.region AND v.name = l.name AND v.version = l.newest_version
WHERE l.account_id = :account_id AND l.region = :region AND l.name > :after AND l.newest_version IS NOT NULL
ORDER BY l.name LIMIT :limit;

-- name: code_size
SELECT CAST(coalesce(sum(code_bytes), 0) AS BIGINT) FROM layer_versions WHERE account_id = :account_id AND region = :region;

-- name: uses_code
SELECT EXISTS (SELECT 1 FROM layer_versions WHERE digest = :digest);
