CREATE TABLE reserved_concurrency (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    executions INTEGER NOT NULL,
    PRIMARY KEY (account_id, region, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE provisioned_concurrency (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    qualifier TEXT NOT NULL,
    executions INTEGER NOT NULL,
    last_modified REAL NOT NULL,
    PRIMARY KEY (account_id, region, name, qualifier)
) STRICT, WITHOUT ROWID;

-- What was promised goes with what it was promised to.
CREATE TRIGGER functions_deleted_concurrency AFTER DELETE ON functions BEGIN
    DELETE FROM reserved_concurrency
    WHERE account_id = old.account_id AND region = old.region AND name = old.name;
    DELETE FROM provisioned_concurrency
    WHERE account_id = old.account_id AND region = old.region AND name = old.name;
END;

CREATE TRIGGER function_versions_deleted_concurrency AFTER DELETE ON function_versions BEGIN
    DELETE FROM provisioned_concurrency
    WHERE account_id = old.account_id AND region = old.region AND name = old.name
        AND qualifier = CAST(old.version AS TEXT);
END;

CREATE TRIGGER aliases_deleted_concurrency AFTER DELETE ON aliases BEGIN
    DELETE FROM provisioned_concurrency
    WHERE account_id = old.account_id AND region = old.region AND name = old.function_name
        AND qualifier = old.name;
END;
