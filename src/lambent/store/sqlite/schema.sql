-- name: create
CREATE TABLE IF NOT EXISTS lambent_schema (number INTEGER PRIMARY KEY, kind TEXT NOT NULL) STRICT;

-- name: fill
-- From before this table.
INSERT INTO lambent_schema (number, kind)
WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers LIMIT 1000)
SELECT number, 'pre' FROM numbers, pragma_user_version
WHERE number <= user_version AND NOT EXISTS (SELECT 1 FROM lambent_schema);

-- name: applied
-- A script takes no values: they are filled in as text.
INSERT INTO lambent_schema (number, kind) VALUES (%d, '%s');

-- name: is_applied
SELECT EXISTS (SELECT 1 FROM lambent_schema WHERE number = ?);
