CREATE TABLE event_invoke_configs (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    qualifier TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (account_id, region, name, qualifier)
) STRICT;

CREATE TRIGGER functions_deleted_event_invoke_configs AFTER DELETE ON functions BEGIN
    DELETE FROM event_invoke_configs
    WHERE account_id = old.account_id AND region = old.region AND name = old.name;
END;

CREATE TRIGGER function_versions_deleted_event_invoke_configs AFTER DELETE ON function_versions BEGIN
    DELETE FROM event_invoke_configs
    WHERE account_id = old.account_id AND region = old.region AND name = old.name
        AND qualifier = CAST(old.version AS TEXT);
END;

CREATE TRIGGER aliases_deleted_event_invoke_configs AFTER DELETE ON aliases BEGIN
    DELETE FROM event_invoke_configs
    WHERE account_id = old.account_id AND region = old.region AND name = old.function_name
        AND qualifier = old.name;
END;
