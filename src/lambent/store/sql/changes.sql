-- name: note
INSERT INTO changes (kind, key, at) VALUES (:kind, :key, database_now());

-- name: since
SELECT number, kind, key, database_now() - at FROM changes WHERE number > :number ORDER BY number;

-- name: bounds
-- Each by the index.
SELECT coalesce((SELECT min(number) FROM changes), 0), coalesce((SELECT max(number) FROM changes), 0);

-- name: forget
DELETE FROM changes
WHERE at < database_now() - :seconds AND number < (SELECT max(number) FROM changes);
