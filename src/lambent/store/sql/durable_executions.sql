-- name: insert
INSERT INTO durable_executions
    (account_id, region, execution_id, function_name, version, name, status, started_at, due_at, busy, document)
VALUES
    (:account_id, :region, :execution_id, :function_name, :version, :name, :status, :started_at, :due_at, :busy,
     :document)
ON CONFLICT (account_id, region, function_name, name) DO NOTHING RETURNING id;

-- name: by_name
SELECT document FROM durable_executions
WHERE account_id = :account_id AND region = :region AND function_name = :function_name AND name = :name;

-- name: get
SELECT id, document FROM durable_executions
WHERE account_id = :account_id AND region = :region AND execution_id = :execution_id;

-- name: update
UPDATE durable_executions SET status = :status, due_at = :due_at, busy = :busy, document = :document WHERE id = :id;

-- name: first_due_operation
SELECT min(due_at) FROM durable_operations WHERE execution = :id AND due_at IS NOT NULL;

-- name: put_operation
INSERT INTO durable_operations (execution, sequence, operation_id, parent_id, changed, due_at, document)
VALUES (:execution, :sequence, :operation_id, :parent_id, :changed, :due_at, :document)
ON CONFLICT (execution, sequence) DO UPDATE
SET changed = excluded.changed, due_at = excluded.due_at, document = excluded.document;

-- name: hide_below
WITH RECURSIVE below (id) AS (
    SELECT operation_id FROM durable_operations WHERE execution = :execution AND parent_id = :operation_id
    UNION
    SELECT o.operation_id FROM below AS b
    JOIN durable_operations AS o ON o.execution = :execution AND o.parent_id = b.id
)
UPDATE durable_operations SET hidden = 1
WHERE execution = :execution AND operation_id IN (SELECT id FROM below);

-- name: operation
SELECT document FROM durable_operations WHERE execution = :execution AND operation_id = :operation_id;

-- name: due_operations
SELECT document FROM durable_operations
WHERE execution = :execution AND due_at IS NOT NULL AND due_at <= :now ORDER BY sequence;

-- name: changed_operations
SELECT document FROM durable_operations WHERE execution = :execution AND changed > :changes ORDER BY sequence;

-- name: operations
SELECT document FROM durable_operations
WHERE execution = :execution AND sequence > :after AND hidden = 0 ORDER BY sequence LIMIT :limit;

-- name: insert_event
INSERT INTO durable_events (execution, number, document) VALUES (?, ?, ?);

-- name: events
SELECT document FROM durable_events
WHERE execution = :execution AND number > :after ORDER BY number LIMIT :limit;

-- name: events_backwards
SELECT document FROM durable_events
WHERE execution = :execution AND number < :after ORDER BY number DESC LIMIT :limit;

-- name: page_by_time_oldest_first
SELECT document FROM durable_executions
WHERE account_id = :account_id AND region = :region AND function_name = :function_name
    AND (CAST(:version AS TEXT) IS NULL OR version = :version)
    AND (started_at, execution_id) > (:at, :after_id)
    AND started_at > :started_after AND started_at < :started_before
ORDER BY started_at, execution_id LIMIT :limit;

-- name: page_by_time_newest_first
SELECT document FROM durable_executions
WHERE account_id = :account_id AND region = :region AND function_name = :function_name
    AND (CAST(:version AS TEXT) IS NULL OR version = :version)
    AND (started_at, execution_id) < (:at, :after_id)
    AND started_at > :started_after AND started_at < :started_before
ORDER BY started_at DESC, execution_id DESC LIMIT :limit;

-- name: page_by_status_oldest_first
SELECT document FROM durable_executions
WHERE account_id = :account_id AND region = :region AND function_name = :function_name AND status = :status
    AND (CAST(:version AS TEXT) IS NULL OR version = :version)
    AND (started_at, execution_id) > (:at, :after_id)
    AND started_at > :started_after AND started_at < :started_before
ORDER BY started_at, execution_id LIMIT :limit;

-- name: page_by_status_newest_first
SELECT document FROM durable_executions
WHERE account_id = :account_id AND region = :region AND function_name = :function_name AND status = :status
    AND (CAST(:version AS TEXT) IS NULL OR version = :version)
    AND (started_at, execution_id) < (:at, :after_id)
    AND started_at > :started_after AND started_at < :started_before
ORDER BY started_at DESC, execution_id DESC LIMIT :limit;

-- name: page_by_name_oldest_first
SELECT document FROM durable_executions
WHERE account_id = :account_id AND region = :region AND function_name = :function_name AND name = :name
    AND (CAST(:status AS TEXT) IS NULL OR status = :status)
    AND (CAST(:version AS TEXT) IS NULL OR version = :version)
    AND (started_at, execution_id) > (:at, :after_id)
    AND started_at > :started_after AND started_at < :started_before
ORDER BY started_at, execution_id LIMIT :limit;

-- name: page_by_name_newest_first
SELECT document FROM durable_executions
WHERE account_id = :account_id AND region = :region AND function_name = :function_name AND name = :name
    AND (CAST(:status AS TEXT) IS NULL OR status = :status)
    AND (CAST(:version AS TEXT) IS NULL OR version = :version)
    AND (started_at, execution_id) < (:at, :after_id)
    AND started_at > :started_after AND started_at < :started_before
ORDER BY started_at DESC, execution_id DESC LIMIT :limit;

-- name: due
SELECT account_id, region, execution_id FROM durable_executions WHERE due_at <= :now ORDER BY due_at LIMIT :limit;

-- name: next_due
SELECT min(due_at) FROM durable_executions;

-- name: busy
SELECT account_id, region, execution_id FROM durable_executions WHERE busy = 1;

-- name: delete
DELETE FROM durable_executions WHERE id = :id;

-- name: delete_operations
DELETE FROM durable_operations WHERE execution = :id;

-- name: delete_events
DELETE FROM durable_events WHERE execution = :id;
