-- name: note
INSERT INTO changes (kind, key, at) VALUES (:kind, :key, database_now());

-- name: note (postgres)
-- Numbers are given in the order of commits: who has seen one will see none before it any more.
WITH alone AS MATERIALIZED (SELECT pg_advisory_xact_lock(7161058946917))
INSERT INTO changes (kind, key, at) SELECT :kind, :key, database_now() FROM alone;

-- name: since
SELECT number, kind, key, database_now() - at FROM changes WHERE number > :number ORDER BY number;

-- name: bounds
-- Each by the index.
SELECT coalesce((SELECT min(number) FROM changes), 0), coalesce((SELECT max(number) FROM changes), 0);

-- name: forget
DELETE FROM changes
WHERE at < database_now() - :seconds AND number < (SELECT max(number) FROM changes);
