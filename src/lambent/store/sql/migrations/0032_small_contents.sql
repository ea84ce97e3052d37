-- The bytes of small objects and parts of S3, apart from what listings walk through.
CREATE TABLE s3_small_contents (
    name TEXT PRIMARY KEY,
    data BLOB NOT NULL
);
