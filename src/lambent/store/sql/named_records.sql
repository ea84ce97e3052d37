-- name: insert
INSERT INTO named_records (kind, account_id, region, parent, name, due_at, document)
VALUES (:kind, :account_id, :region, :parent, :name, :due_at, :document)
ON CONFLICT DO NOTHING;

-- name: get
SELECT document FROM named_records
WHERE kind = :kind AND account_id = :account_id AND region = :region AND parent = :parent AND name = :name;

-- name: replace
UPDATE named_records SET due_at = CASE WHEN :keeps_due = 1 THEN due_at ELSE :due_at END, document = :document
WHERE kind = :kind AND account_id = :account_id AND region = :region AND parent = :parent AND name = :name;

-- name: delete
DELETE FROM named_records
WHERE kind = :kind AND account_id = :account_id AND region = :region AND parent = :parent AND name = :name;

-- name: page
SELECT parent, name, document FROM named_records
WHERE kind = :kind AND account_id = :account_id AND region = :region
    AND (parent, name) > (:after_parent, :after_name)
    AND (CAST(:parent AS TEXT) IS NULL OR parent = :parent) AND substr(name, 1, length(:prefix)) = :prefix
ORDER BY parent, name LIMIT :limit;

-- name: all
SELECT account_id, region, parent, name, document FROM named_records WHERE kind = :kind
ORDER BY account_id, region, parent, name;

-- name: due
SELECT account_id, region, parent, name, document, due_at FROM named_records
WHERE kind = :kind AND due_at <= :now
ORDER BY due_at LIMIT :limit;

-- name: due_later
SELECT account_id, region, parent, name, document, due_at FROM named_records
WHERE kind = :kind AND (account_id, region, parent, name) > (:account_id, :region, :parent, :name) AND due_at > :than
ORDER BY account_id, region, parent, name LIMIT :limit;

-- name: next_due
SELECT min(due_at) FROM named_records WHERE kind = :kind AND due_at IS NOT NULL;
