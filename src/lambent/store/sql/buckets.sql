-- name: insert
INSERT INTO s3_buckets (name, document) VALUES (:name, :document) ON CONFLICT DO NOTHING;

-- name: all
SELECT document FROM s3_buckets ORDER BY name;

-- name: get
SELECT document FROM s3_buckets WHERE name = :name;

-- name: replace
UPDATE s3_buckets SET document = :document WHERE name = :name;

-- name: has_versions
SELECT 1 FROM s3_versions WHERE bucket = :name LIMIT 1;

-- name: discard_parts
INSERT INTO s3_garbage (content)
SELECT p.content FROM s3_uploads AS u JOIN s3_parts AS p ON p.upload_id = u.id WHERE u.bucket = :name
ON CONFLICT DO NOTHING;

-- name: delete_parts
DELETE FROM s3_parts WHERE upload_id IN (SELECT id FROM s3_uploads WHERE bucket = :name);

-- name: delete_uploads
DELETE FROM s3_uploads WHERE bucket = :name;

-- name: delete
DELETE FROM s3_buckets WHERE name = :name;
