-- name: create
CREATE TABLE IF NOT EXISTS lambent_schema (number BIGINT NOT NULL, kind TEXT NOT NULL DEFAULT 'pre');

-- name: has_kinds
SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = CAST('lambent_schema' AS regclass) AND attname = 'kind');

-- name: add_kinds
-- It was made without.
ALTER TABLE lambent_schema ADD COLUMN kind TEXT NOT NULL DEFAULT 'pre';

-- name: applied
INSERT INTO lambent_schema (number, kind) VALUES (:number, :kind);

-- name: be_impatient
SET LOCAL lock_timeout = '2s';
