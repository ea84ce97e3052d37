-- Each function has a line of its own in the queue of events: `function` is account/region/name.
ALTER TABLE event_invocations ADD COLUMN function TEXT NOT NULL DEFAULT '';

UPDATE event_invocations SET function = json_extract(document, '$.account_id') || '/'
    || json_extract(document, '$.region') || '/' || json_extract(document, '$.function_name');

DROP INDEX event_invocations_due;
CREATE INDEX event_invocations_due ON event_invocations (function, due_at) WHERE owner IS NULL;

-- What the function answered, of invocations that have ended and are still to be told of.
CREATE TABLE event_responses (
    id INTEGER PRIMARY KEY,
    response BLOB NOT NULL
) STRICT;
