-- IAM names are unique and found whatever their case (NOCASE folds ASCII, which is all that IAM names may hold).
CREATE TABLE roles (
    account_id TEXT NOT NULL,
    name TEXT NOT NULL COLLATE NOCASE,
    path TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (account_id, name)
) STRICT;

CREATE TABLE role_attachments (
    account_id TEXT NOT NULL,
    policy_arn TEXT NOT NULL,
    role_name TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (account_id, policy_arn, role_name)
) STRICT, WITHOUT ROWID;

CREATE INDEX role_attachments_by_role ON role_attachments (account_id, role_name);

CREATE TABLE managed_policies (
    account_id TEXT NOT NULL,
    name TEXT NOT NULL COLLATE NOCASE,
    path TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (account_id, name)
) STRICT;
