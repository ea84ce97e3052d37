CREATE TABLE topic_archive (
    number INTEGER PRIMARY KEY,
    topic_arn TEXT NOT NULL,
    archived_at INTEGER NOT NULL,
    document TEXT NOT NULL,
    data_key TEXT
);
CREATE INDEX topic_archive_in_order ON topic_archive (topic_arn, archived_at, number);

-- `holds` is 1 where what is published is not delivered to the subscription.
CREATE TABLE topic_replays (
    subscription_arn TEXT PRIMARY KEY,
    topic_arn TEXT NOT NULL,
    holds INTEGER NOT NULL,
    is_over INTEGER NOT NULL,
    document TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX topic_replays_of_topic ON topic_replays (topic_arn);
CREATE INDEX topic_replays_under_way ON topic_replays (subscription_arn) WHERE is_over = 0;
