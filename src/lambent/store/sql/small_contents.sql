-- name: get
SELECT data FROM s3_small_contents WHERE name = :name;

-- name: insert
INSERT INTO s3_small_contents (name, data) VALUES (:name, :data);

-- name: delete
DELETE FROM s3_small_contents WHERE name = :name;
