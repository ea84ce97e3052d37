CREATE TABLE s3_buckets (
    name TEXT PRIMARY KEY,
    document TEXT NOT NULL
) WITHOUT ROWID;

-- A version is newer than those of its key with a smaller id.
CREATE TABLE s3_versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    version_id TEXT NOT NULL,
    latest INTEGER NOT NULL,
    delete_marker INTEGER NOT NULL,
    size INTEGER NOT NULL,
    content TEXT,
    parts_of TEXT,
    document TEXT NOT NULL
);
CREATE UNIQUE INDEX s3_versions_in_order ON s3_versions (bucket, key, id DESC);
-- What listings walk through: one entry for each object that is there.
CREATE UNIQUE INDEX s3_versions_current ON s3_versions (bucket, key) WHERE latest = 1 AND delete_marker = 0;
CREATE INDEX s3_versions_by_id ON s3_versions (bucket, key, version_id) WHERE version_id <> 'null';
CREATE INDEX s3_versions_content ON s3_versions (content) WHERE content IS NOT NULL;

CREATE TABLE s3_uploads (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX s3_uploads_in_order ON s3_uploads (bucket, key, number);

-- Of uploads in progress, and of the objects that they became.
CREATE TABLE s3_parts (
    upload_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    size INTEGER NOT NULL,
    content TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (upload_id, number)
) WITHOUT ROWID;
CREATE INDEX s3_parts_by_position ON s3_parts (upload_id, position);
CREATE INDEX s3_parts_content ON s3_parts (content);

-- Contents whose files are to be removed.
CREATE TABLE s3_garbage (content TEXT PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE s3_notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    due_at REAL NOT NULL,
    attempts INTEGER NOT NULL,
    created_at REAL NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX s3_notices_due ON s3_notices (due_at);
