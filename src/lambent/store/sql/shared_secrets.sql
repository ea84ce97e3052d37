-- name: get
SELECT sealed FROM shared_secrets WHERE name = :name;

-- name: put_first
INSERT INTO shared_secrets (name, sealed) VALUES (:name, :sealed) ON CONFLICT (name) DO NOTHING;

-- name: replace
INSERT INTO shared_secrets (name, sealed) VALUES (:name, :sealed)
ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed;
