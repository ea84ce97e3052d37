CREATE TABLE event_source_mappings (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    uuid TEXT NOT NULL,
    function_arn TEXT NOT NULL,
    source_arn TEXT,
    source TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (account_id, region, uuid),
    UNIQUE (account_id, region, function_arn, source)
) STRICT;
