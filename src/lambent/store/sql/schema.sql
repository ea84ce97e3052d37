-- name: state
SELECT coalesce(max(number), 0), coalesce(max(CASE WHEN kind = 'post' THEN number END), 0) FROM lambent_schema;

-- name: older_nodes
-- Who may be at work and does not know this migration.
SELECT id, version FROM nodes WHERE schema_known < :number AND expires_at > database_now() ORDER BY id;
