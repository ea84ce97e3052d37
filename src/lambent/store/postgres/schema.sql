-- name: create
CREATE TABLE IF NOT EXISTS lambent_schema (number BIGINT NOT NULL);

-- name: current
SELECT coalesce(max(number), 0) FROM lambent_schema;

-- name: applied
INSERT INTO lambent_schema (number) VALUES (?);
