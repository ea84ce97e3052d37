-- The few executions that run, among the many that have ended: what is asked for most.
CREATE INDEX durable_executions_status
    ON durable_executions (account_id, region, function_name, status, started_at, execution_id);
