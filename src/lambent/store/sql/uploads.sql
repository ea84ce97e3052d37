-- name: bucket
SELECT 1 FROM s3_buckets WHERE name = :bucket;

-- name: insert
INSERT INTO s3_uploads (id, bucket, key, document) VALUES (:id, :bucket, :key, :document);

-- name: get
SELECT document FROM s3_uploads WHERE id = :id AND bucket = :bucket AND key = :key;

-- name: exists
SELECT 1 FROM s3_uploads WHERE id = :upload_id;

-- name: list
SELECT key, id, document FROM s3_uploads
WHERE bucket = :bucket AND key >= :start AND key < :end AND key <> :after ORDER BY key, number;

-- name: list_within
SELECT key, id, document FROM s3_uploads
WHERE bucket = :bucket AND key = :key AND number > coalesce((SELECT number FROM s3_uploads WHERE id = :id), 0)
ORDER BY number;

-- name: part
SELECT content, document FROM s3_parts WHERE upload_id = :upload_id AND number = :number;

-- name: put_part
INSERT INTO s3_parts (upload_id, number, position, size, content, document)
VALUES (:upload_id, :number, :position, :size, :content, :document)
ON CONFLICT (upload_id, number) DO UPDATE SET
    position = excluded.position, size = excluded.size, content = excluded.content, document = excluded.document;

-- name: parts
SELECT document FROM s3_parts WHERE upload_id = :upload_id AND number > :after ORDER BY number LIMIT :limit;

-- name: parts_at
SELECT document FROM s3_parts
WHERE upload_id = :upload_id AND position <= :last AND position + size > :first ORDER BY position;

-- name: numbers
SELECT number, content FROM s3_parts WHERE upload_id = :upload_id;

-- name: delete_part
DELETE FROM s3_parts WHERE upload_id = :upload_id AND number = :number;

-- name: discard
INSERT INTO s3_garbage (content) VALUES (:content) ON CONFLICT DO NOTHING;

-- name: discard_parts
INSERT INTO s3_garbage (content) SELECT content FROM s3_parts WHERE upload_id = :upload_id ON CONFLICT DO NOTHING;

-- name: delete_parts
DELETE FROM s3_parts WHERE upload_id = :upload_id;

-- name: delete
DELETE FROM s3_uploads WHERE id = :upload_id RETURNING overtaken;
