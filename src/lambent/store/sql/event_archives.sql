-- name: insert
INSERT INTO archived_events (archive_id, time, archived_at, event) VALUES (?, ?, ?, ?);

-- name: page
SELECT number, time, archived_at, event FROM archived_events
WHERE archive_id = :archive_id AND time >= :start AND time < :end AND (time, number) > (:after_time, :after_number)
ORDER BY time, number LIMIT :limit;

-- name: size
SELECT count(*), CAST(coalesce(sum(length(event)), 0) AS BIGINT) FROM archived_events WHERE archive_id = :archive_id;

-- name: sweep
DELETE FROM archived_events WHERE number IN (
    SELECT e.number FROM archived_events AS e LEFT JOIN json_each(:oldest) AS o ON o.key = e.archive_id
    WHERE o.key IS NULL OR e.archived_at < o.value
    LIMIT :limit
);

-- name: sweep (postgres)
DELETE FROM archived_events WHERE number IN (
    SELECT e.number FROM archived_events AS e
    LEFT JOIN json_each_text(CAST(:oldest AS JSON)) AS o ON o.key = e.archive_id
    WHERE o.key IS NULL OR e.archived_at < CAST(o.value AS DOUBLE PRECISION)
    LIMIT :limit
);
