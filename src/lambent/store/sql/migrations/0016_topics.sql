CREATE TABLE topics (arn TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE topic_subscriptions (
    number INTEGER PRIMARY KEY,
    arn TEXT NOT NULL UNIQUE,
    topic_arn TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX topic_subscriptions_of_topic ON topic_subscriptions (topic_arn);

CREATE TABLE topic_deduplications (
    topic_arn TEXT NOT NULL,
    scope TEXT NOT NULL,
    deduplication_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sequence_number TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (topic_arn, scope, deduplication_id)
) WITHOUT ROWID;
CREATE INDEX topic_deduplications_until ON topic_deduplications (until);
