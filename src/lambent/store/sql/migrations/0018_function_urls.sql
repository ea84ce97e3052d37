-- Function URLs, of a function (qualifier '') or of an alias. They go with what they lead to.

CREATE TABLE function_urls (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    qualifier TEXT NOT NULL,
    url_id TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL,
    PRIMARY KEY (account_id, region, name, qualifier)
) STRICT;

CREATE TRIGGER functions_deleted_with_urls AFTER DELETE ON functions BEGIN
    DELETE FROM function_urls
    WHERE account_id = old.account_id AND region = old.region AND name = old.name;
END;

CREATE TRIGGER aliases_deleted_with_urls AFTER DELETE ON aliases BEGIN
    DELETE FROM function_urls
    WHERE account_id = old.account_id AND region = old.region AND name = old.function_name AND qualifier = old.name;
END;
