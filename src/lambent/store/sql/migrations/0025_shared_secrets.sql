-- What all nodes have alike and nobody else may know: sealed with a key of the operator's that is not in the database.
CREATE TABLE shared_secrets (
    name TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;
