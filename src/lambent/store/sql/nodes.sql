-- name: join
INSERT INTO nodes (id, incarnation, address, zone, roles, version, schema_known, joined_at, expires_at, beats)
VALUES (:id, :incarnation, :address, :zone, :roles, :version, :schema_known, database_now(),
    database_now() + :seconds, 0)
ON CONFLICT (id) DO UPDATE SET incarnation = excluded.incarnation, address = excluded.address, zone = excluded.zone,
    roles = excluded.roles, version = excluded.version, schema_known = excluded.schema_known,
    joined_at = excluded.joined_at, expires_at = excluded.expires_at, beats = 0, state = '{}';

-- name: beat
UPDATE nodes SET expires_at = database_now() + :seconds, beats = beats + 1, state = :state
WHERE id = :id AND incarnation = :incarnation;

-- name: renew_leases
UPDATE leases SET expires_at = database_now() + :seconds WHERE holder = :id;

-- name: leave
DELETE FROM nodes WHERE id = :id AND incarnation = :incarnation;

-- name: free_leases
UPDATE leases SET holder = NULL WHERE holder = :id;

-- name: free_quotas
DELETE FROM quotas WHERE holder = :id;

-- name: members
SELECT id, incarnation, address, zone, roles, version, schema_known, expires_at - database_now(), beats,
    database_now() - joined_at, state
FROM nodes
ORDER BY joined_at, id;

-- name: remove
DELETE FROM nodes
WHERE id = :id AND incarnation = :incarnation AND beats = :beats
    AND expires_at <= database_now() + :spared_seconds;

-- name: acquire
INSERT INTO leases (name, holder, token, expires_at)
SELECT :name, id, 1, database_now() + :seconds FROM nodes WHERE id = :id AND incarnation = :incarnation
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = leases.token + 1, expires_at = excluded.expires_at
    WHERE leases.holder IS NULL OR leases.holder = excluded.holder OR leases.expires_at <= database_now()
RETURNING token;

-- name: holds
SELECT 1 FROM leases WHERE name = :name AND holder = :holder AND token = :token;

-- name: release
UPDATE leases SET holder = NULL WHERE name = :name AND holder = :id AND token = :token;

-- name: leases
SELECT name, holder, token, expires_at - database_now() FROM leases WHERE holder IS NOT NULL ORDER BY name;
