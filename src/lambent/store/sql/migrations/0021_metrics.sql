CREATE TABLE metrics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    dimensions TEXT NOT NULL, -- a JSON list of [name, value], sorted
    last_start INTEGER NOT NULL,
    UNIQUE (account_id, region, namespace, name, dimensions)
) STRICT;

CREATE TABLE metric_minutes (
    metric_id INTEGER NOT NULL REFERENCES metrics (id) ON DELETE CASCADE,
    start INTEGER NOT NULL,
    unit TEXT NOT NULL,
    count REAL NOT NULL,
    sum REAL NOT NULL,
    minimum REAL NOT NULL,
    maximum REAL NOT NULL,
    spread TEXT, -- a JSON list of [value, count]; NULL where it is not known
    PRIMARY KEY (metric_id, start, unit)
) STRICT, WITHOUT ROWID;

CREATE INDEX metric_minutes_by_start ON metric_minutes (start);

-- How far minutes have been made coarser, by how many seconds.
CREATE TABLE metric_roll_ups (seconds INTEGER PRIMARY KEY, until INTEGER NOT NULL) STRICT;
