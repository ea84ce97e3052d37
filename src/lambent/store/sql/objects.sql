-- name: bucket
SELECT 1 FROM s3_buckets WHERE name = :bucket;

-- name: latest
SELECT id, version_id, delete_marker, content, parts_of, document FROM s3_versions
WHERE bucket = :bucket AND key = :key ORDER BY id DESC LIMIT 1;

-- name: null_version
SELECT id, version_id, delete_marker, content, parts_of, document FROM s3_versions
WHERE bucket = :bucket AND key = :key AND version_id = 'null';

-- name: version
SELECT id, version_id, delete_marker, content, parts_of, document FROM s3_versions
WHERE bucket = :bucket AND key = :key AND version_id = :version_id AND version_id <> 'null';

-- name: outdate
UPDATE s3_versions SET latest = 0 WHERE id = :id;

-- name: promote
UPDATE s3_versions SET latest = 1 WHERE id = :id;

-- name: insert
INSERT INTO s3_versions (bucket, key, version_id, latest, delete_marker, size, content, parts_of, document)
VALUES (:bucket, :key, :version_id, 1, :delete_marker, :size, :content, :parts_of, :document);

-- name: replace
UPDATE s3_versions SET document = :document WHERE id = :id;

-- name: delete
DELETE FROM s3_versions WHERE id = :id;

-- name: overtake
UPDATE s3_uploads SET overtaken = 1 WHERE bucket = :bucket AND key = :key;

-- name: discard
INSERT INTO s3_garbage (content) VALUES (:content) ON CONFLICT DO NOTHING;

-- name: discard_parts
INSERT INTO s3_garbage (content) SELECT content FROM s3_parts WHERE upload_id = :parts_of ON CONFLICT DO NOTHING;

-- name: delete_parts
DELETE FROM s3_parts WHERE upload_id = :parts_of;

-- name: list_current
SELECT key, version_id, 1, document FROM s3_versions
WHERE bucket = :bucket AND latest = 1 AND delete_marker = 0 AND key >= :start AND key < :end AND key <> :after ORDER BY key;

-- name: list_versions
SELECT key, version_id, latest, document FROM s3_versions
WHERE bucket = :bucket AND key >= :start AND key < :end AND key <> :after ORDER BY key, id DESC;

-- name: list_versions_within
-- Behind a version that is gone come those with a lesser id; the null version, whose id says nothing, may come again.
SELECT key, version_id, latest, document FROM s3_versions
WHERE bucket = :bucket AND key = :key AND id < coalesce(
    (SELECT id FROM s3_versions WHERE bucket = :bucket AND key = :key AND version_id = :version_id),
    (SELECT max(id) + 1 FROM s3_versions
     WHERE bucket = :bucket AND key = :key AND (version_id < :version_id OR version_id = 'null')), 0)
ORDER BY id DESC;

-- name: usage
SELECT coalesce(json_extract(document, '$.properties.storage_class'), 'STANDARD'), count(*), CAST(sum(size) AS BIGINT) FROM s3_versions
WHERE bucket = :bucket GROUP BY 1;

-- name: notify
INSERT INTO s3_notices (due_at, attempts, created_at, document) VALUES (:now, 0, :now, :document);

-- name: garbage
SELECT content FROM s3_garbage LIMIT :limit;

-- name: forget
DELETE FROM s3_garbage WHERE content = :content;

-- name: is_referenced
SELECT EXISTS (SELECT 1 FROM s3_versions WHERE content = :content)
    OR EXISTS (SELECT 1 FROM s3_parts WHERE content = :content)
    OR EXISTS (SELECT 1 FROM s3_garbage WHERE content = :content);
