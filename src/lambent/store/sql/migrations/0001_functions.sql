-- Functions ($LATEST and what serves it), published versions, aliases.
-- Documents are a few KB, so these tables keep their rowids: a WITHOUT ROWID row over 1 KB spills to overflow pages.

CREATE TABLE functions (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    revision_id TEXT NOT NULL,
    code_bytes INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (account_id, region, name)
) STRICT;

CREATE INDEX functions_unsettled ON functions (settled) WHERE settled = 0;

CREATE TABLE function_versions (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    code_bytes INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (account_id, region, name, version)
) STRICT;

CREATE INDEX function_versions_unsettled ON function_versions (settled) WHERE settled = 0;

CREATE TABLE aliases (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    function_name TEXT NOT NULL,
    name TEXT NOT NULL,
    revision_id TEXT NOT NULL,
    version TEXT NOT NULL,
    weighted_versions TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (account_id, region, function_name, name)
) STRICT, WITHOUT ROWID;

-- Which artifacts are in use, as code or as a layer. version 0 is $LATEST (with the code that still serves it).
CREATE TABLE function_code_uses (
    digest TEXT NOT NULL,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (digest, account_id, region, name, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX function_code_uses_by_function ON function_code_uses (account_id, region, name, version);

-- What GetAccountSettings and every creation ask for; counting 200,000 versions each time would take 20 ms.
CREATE TABLE function_usage (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    functions INTEGER NOT NULL,
    code_bytes INTEGER NOT NULL,
    PRIMARY KEY (account_id, region)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER functions_inserted AFTER INSERT ON functions BEGIN
    INSERT INTO function_usage VALUES (new.account_id, new.region, 1, new.code_bytes)
    ON CONFLICT (account_id, region) DO UPDATE SET
        functions = function_usage.functions + 1, code_bytes = function_usage.code_bytes + excluded.code_bytes;
END;

CREATE TRIGGER functions_resized AFTER UPDATE OF code_bytes ON functions WHEN new.code_bytes <> old.code_bytes BEGIN
    UPDATE function_usage SET code_bytes = code_bytes + new.code_bytes - old.code_bytes
    WHERE account_id = new.account_id AND region = new.region;
END;

CREATE TRIGGER functions_deleted AFTER DELETE ON functions BEGIN
    UPDATE function_usage SET functions = functions - 1, code_bytes = code_bytes - old.code_bytes
    WHERE account_id = old.account_id AND region = old.region;
END;

CREATE TRIGGER function_versions_inserted AFTER INSERT ON function_versions BEGIN
    UPDATE function_usage SET code_bytes = code_bytes + new.code_bytes
    WHERE account_id = new.account_id AND region = new.region;
END;

CREATE TRIGGER function_versions_deleted AFTER DELETE ON function_versions BEGIN
    UPDATE function_usage SET code_bytes = code_bytes - old.code_bytes
    WHERE account_id = old.account_id AND region = old.region;
END;
