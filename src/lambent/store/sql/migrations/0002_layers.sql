CREATE TABLE layers (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    last_version INTEGER NOT NULL, -- the highest number ever given: it outlives the versions
    newest_version INTEGER,        -- the highest that is left, null when all are deleted
    PRIMARY KEY (account_id, region, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX layers_with_versions ON layers (account_id, region, name, newest_version)
WHERE newest_version IS NOT NULL;

CREATE TABLE layer_versions (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    digest TEXT NOT NULL,
    code_bytes INTEGER NOT NULL,
    policy_revision_id TEXT,
    document TEXT NOT NULL,
    PRIMARY KEY (account_id, region, name, version)
) STRICT;

CREATE INDEX layer_versions_by_digest ON layer_versions (digest);
CREATE INDEX layer_versions_code_bytes ON layer_versions (account_id, region, code_bytes);
