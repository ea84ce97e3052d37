-- name: touch
INSERT INTO metrics (account_id, region, namespace, name, dimensions, last_start)
VALUES (:account_id, :region, :namespace, :name, :dimensions, :start)
ON CONFLICT (account_id, region, namespace, name, dimensions)
DO UPDATE SET last_start =
    CASE WHEN metrics.last_start >= excluded.last_start THEN metrics.last_start ELSE excluded.last_start END
RETURNING id;

-- name: put_long
INSERT INTO metric_long_dimensions (key, dimensions) VALUES (:key, :dimensions) ON CONFLICT (key) DO NOTHING;

-- name: find
SELECT id FROM metrics
WHERE account_id = :account_id AND region = :region AND namespace = :namespace AND name = :name
    AND dimensions = :dimensions;

-- name: minute
SELECT count, sum, minimum, maximum, spread FROM metric_minutes
WHERE metric_id = :metric_id AND start = :start AND unit = :unit;

-- name: put
INSERT INTO metric_minutes (metric_id, start, unit, count, sum, minimum, maximum, spread)
VALUES (:metric_id, :start, :unit, :count, :sum, :minimum, :maximum, :spread)
ON CONFLICT (metric_id, start, unit) DO UPDATE SET count = excluded.count, sum = excluded.sum,
    minimum = excluded.minimum, maximum = excluded.maximum, spread = excluded.spread;

-- name: read
SELECT start, unit, count, sum, minimum, maximum, spread FROM metric_minutes
WHERE metric_id = :metric_id AND start >= :start AND start < :end ORDER BY start, unit;

-- name: page
SELECT id, namespace, name, coalesce(l.dimensions, metrics.dimensions) FROM metrics
LEFT JOIN metric_long_dimensions AS l ON l.key = metrics.dimensions
WHERE id > :after AND account_id = :account_id AND region = :region
    AND (CAST(:namespace AS TEXT) IS NULL OR namespace = :namespace) AND (CAST(:name AS TEXT) IS NULL OR name = :name)
    AND last_start >= :active_since
ORDER BY id LIMIT :limit;

-- name: rolled_up
SELECT until FROM metric_roll_ups WHERE seconds = :seconds;

-- name: set_rolled_up
INSERT INTO metric_roll_ups (seconds, until) VALUES (:seconds, :until)
ON CONFLICT (seconds) DO UPDATE SET until = excluded.until;

-- name: first
SELECT min(start) FROM metric_minutes WHERE start >= :start AND start < :end;

-- name: between
SELECT metric_id, start, unit, count, sum, minimum, maximum, spread FROM metric_minutes
WHERE start >= :start AND start < :end;

-- name: remove
DELETE FROM metric_minutes WHERE metric_id = :metric_id AND start = :start AND unit = :unit;

-- name: expired
SELECT metric_id, start, unit FROM metric_minutes WHERE start < :before ORDER BY start LIMIT :limit;

-- name: remove_silent
DELETE FROM metrics WHERE id IN (SELECT value FROM json_each(:ids)) AND last_start < :before;
