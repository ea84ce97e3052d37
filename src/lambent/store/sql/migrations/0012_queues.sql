CREATE TABLE queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (account_id, region, name)
);

-- Apart from the queue, whose document may be long: this row is rewritten with every batch that comes or goes.
CREATE TABLE queue_depths (queue_id INTEGER PRIMARY KEY, messages INTEGER NOT NULL);

CREATE TABLE discarded_queues (queue_id INTEGER PRIMARY KEY);

-- Moments are milliseconds. fifo_group is NULL on a standard queue.
CREATE TABLE queue_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue_id INTEGER NOT NULL,
    fifo_group TEXT,
    visible_at INTEGER NOT NULL,
    receive_count INTEGER NOT NULL DEFAULT 0,
    sent_at INTEGER NOT NULL,
    received_at INTEGER,
    first_received_at INTEGER
);

-- A message is in one of these two: those in flight and those delayed are counted without touching those that wait.
CREATE INDEX queue_messages_new ON queue_messages (queue_id, visible_at) WHERE receive_count = 0;
CREATE INDEX queue_messages_received ON queue_messages (queue_id, visible_at) WHERE receive_count > 0;

CREATE INDEX queue_messages_of_group ON queue_messages (queue_id, fifo_group, id) WHERE fifo_group IS NOT NULL;

-- The messages themselves stay where they are while they are received again and again.
CREATE TABLE queue_message_documents (id INTEGER PRIMARY KEY, document TEXT NOT NULL);

-- A message group that has messages, and when its first one may be received.
CREATE TABLE queue_groups (
    queue_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    available_at INTEGER NOT NULL,
    head INTEGER NOT NULL,
    PRIMARY KEY (queue_id, name)
) WITHOUT ROWID;
CREATE INDEX queue_groups_available ON queue_groups (queue_id, available_at, head);

CREATE TABLE queue_deduplications (
    queue_id INTEGER NOT NULL,
    scope TEXT NOT NULL,
    deduplication_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sent_id INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (queue_id, scope, deduplication_id)
) WITHOUT ROWID;
CREATE INDEX queue_deduplications_until ON queue_deduplications (until);
