-- name: due
SELECT id, attempts, created_at, document FROM s3_notices WHERE due_at <= :now ORDER BY due_at, id LIMIT :limit;

-- name: next_due
SELECT min(due_at) FROM s3_notices;

-- name: complete
DELETE FROM s3_notices WHERE id = :id;

-- name: postpone
UPDATE s3_notices SET due_at = :due_at, attempts = attempts + 1 WHERE id = :id;

-- name: hasten
UPDATE s3_notices SET due_at = :now WHERE due_at > :latest;
