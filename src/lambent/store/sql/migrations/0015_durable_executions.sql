-- Durable executions. `due_at` is when something has to be done about one, its operations included: the worker follows
-- this one index. Operations and history are apart, because a payload may have a megabyte and there may be thousands.
CREATE TABLE durable_executions (
    id INTEGER PRIMARY KEY,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    function_name TEXT NOT NULL,
    version TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at REAL NOT NULL,
    due_at REAL NOT NULL,
    busy INTEGER NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (account_id, region, execution_id),
    UNIQUE (account_id, region, function_name, name)
) STRICT;

CREATE INDEX durable_executions_due ON durable_executions (due_at);
CREATE INDEX durable_executions_busy ON durable_executions (busy) WHERE busy = 1;
CREATE INDEX durable_executions_started
    ON durable_executions (account_id, region, function_name, started_at, execution_id);

-- `hidden`: below a context that has ended and does not need its children for a replay.
CREATE TABLE durable_operations (
    execution INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    operation_id TEXT NOT NULL,
    parent_id TEXT,
    changed INTEGER NOT NULL,
    due_at REAL,
    hidden INTEGER NOT NULL DEFAULT 0,
    document TEXT NOT NULL,
    PRIMARY KEY (execution, sequence),
    UNIQUE (execution, operation_id)
) STRICT;

CREATE INDEX durable_operations_changed ON durable_operations (execution, changed);
CREATE INDEX durable_operations_due ON durable_operations (execution, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX durable_operations_parent ON durable_operations (execution, parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE durable_events (
    execution INTEGER NOT NULL,
    number INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (execution, number)
) STRICT;
