-- name: function_exists
SELECT EXISTS (SELECT 1 FROM functions WHERE account_id = :account_id AND region = :region AND name = :name);

-- name: total_reserved
SELECT CAST(coalesce(sum(executions), 0) AS BIGINT) FROM reserved_concurrency WHERE account_id = :account_id AND region = :region;

-- name: total_of_others
SELECT CAST(coalesce(sum(executions), 0) AS BIGINT) FROM reserved_concurrency
WHERE account_id = :account_id AND region = :region AND name <> :name;

-- name: reserve
INSERT INTO reserved_concurrency (account_id, region, name, executions)
VALUES (:account_id, :region, :name, :executions)
ON CONFLICT (account_id, region, name) DO UPDATE SET executions = excluded.executions;

-- name: unreserve
DELETE FROM reserved_concurrency WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: reserved
SELECT executions FROM reserved_concurrency
WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: all_reserved
SELECT account_id, region, name, executions FROM reserved_concurrency;

-- name: provision
INSERT INTO provisioned_concurrency (account_id, region, name, qualifier, executions, last_modified)
VALUES (:account_id, :region, :name, :qualifier, :executions, :last_modified)
ON CONFLICT (account_id, region, name, qualifier) DO UPDATE SET executions = excluded.executions, last_modified = excluded.last_modified;

-- name: unprovision
DELETE FROM provisioned_concurrency
WHERE account_id = :account_id AND region = :region AND name = :name AND qualifier = :qualifier;

-- name: provisioned
SELECT account_id, region, name, qualifier, executions, last_modified FROM provisioned_concurrency
WHERE account_id = :account_id AND region = :region AND name = :name ORDER BY qualifier;

-- name: all_provisioned
SELECT account_id, region, name, qualifier, executions, last_modified FROM provisioned_concurrency;
