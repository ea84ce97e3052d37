-- Tenants have lines of their own in the queue of events: `line` is account/region/function, and /tenant where there is
-- one.
DROP INDEX event_invocations_due;
ALTER TABLE event_invocations RENAME COLUMN function TO line;

UPDATE event_invocations SET line = line || '/' || json_extract(document, '$.tenant_id')
WHERE json_extract(document, '$.tenant_id') IS NOT NULL;

CREATE INDEX event_invocations_due ON event_invocations (line, due_at) WHERE owner IS NULL;
