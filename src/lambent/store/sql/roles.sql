-- name: insert
INSERT INTO roles (account_id, name, path, document) VALUES (:account_id, :name, :path, :document)
ON CONFLICT DO NOTHING;

-- name: get
SELECT document FROM roles WHERE account_id = :account_id AND name = :name;

-- name: replace
UPDATE roles SET path = :path, document = :document WHERE account_id = :account_id AND name = :name;

-- name: delete
DELETE FROM roles WHERE account_id = :account_id AND name = :name;

-- name: page
SELECT document FROM roles
WHERE account_id = :account_id AND name > :after AND substr(path, 1, length(:path_prefix)) = :path_prefix
ORDER BY name LIMIT :limit;

-- name: attach
INSERT INTO role_attachments (account_id, policy_arn, role_name) VALUES (:account_id, :policy_arn, :name)
ON CONFLICT DO NOTHING;

-- name: detach_all
DELETE FROM role_attachments WHERE account_id = :account_id AND role_name = :name;

-- name: attached
SELECT r.document FROM role_attachments AS a
JOIN roles AS r ON r.account_id = a.account_id AND r.name = a.role_name
WHERE a.account_id = :account_id AND a.policy_arn = :policy_arn
ORDER BY a.role_name;

-- name: insert_policy
INSERT INTO managed_policies (account_id, name, path, document) VALUES (:account_id, :name, :path, :document)
ON CONFLICT DO NOTHING;

-- name: get_policy
SELECT document FROM managed_policies WHERE account_id = :account_id AND name = :name;

-- name: replace_policy
UPDATE managed_policies SET path = :path, document = :document WHERE account_id = :account_id AND name = :name;

-- name: delete_policy
DELETE FROM managed_policies WHERE account_id = :account_id AND name = :name;

-- name: page_policies
SELECT document FROM managed_policies
WHERE account_id = :account_id AND name > :after AND substr(path, 1, length(:path_prefix)) = :path_prefix
ORDER BY name LIMIT :limit;
