-- Resource policies of functions (qualifier ''), published versions and aliases. They go with what they are attached to.

CREATE TABLE function_policies (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    qualifier TEXT NOT NULL,
    denies INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (account_id, region, name, qualifier)
) STRICT;

CREATE INDEX function_policies_denying ON function_policies (denies) WHERE denies = 1;

CREATE TRIGGER functions_deleted_with_policies AFTER DELETE ON functions BEGIN
    DELETE FROM function_policies
    WHERE account_id = old.account_id AND region = old.region AND name = old.name;
END;

CREATE TRIGGER function_versions_deleted_with_policies AFTER DELETE ON function_versions BEGIN
    DELETE FROM function_policies
    WHERE account_id = old.account_id AND region = old.region AND name = old.name
    AND qualifier = CAST(old.version AS TEXT);
END;

CREATE TRIGGER aliases_deleted_with_policies AFTER DELETE ON aliases BEGIN
    DELETE FROM function_policies
    WHERE account_id = old.account_id AND region = old.region AND name = old.function_name AND qualifier = old.name;
END;
