CREATE TABLE code_signing_configs (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (account_id, region, id)
) STRICT;

CREATE TABLE function_code_signing (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    config_id TEXT NOT NULL,
    PRIMARY KEY (account_id, region, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX function_code_signing_by_config ON function_code_signing (account_id, region, config_id, name);

CREATE TRIGGER functions_unsigned AFTER DELETE ON functions BEGIN
    DELETE FROM function_code_signing
    WHERE account_id = old.account_id AND region = old.region AND name = old.name;
END;
