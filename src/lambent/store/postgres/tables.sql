-- How PostgreSQL keeps tables whose rows come and go by the thousand: room for a changed row on its own page, and vacuumed
-- by how many rows have died, however long the queue is. Run after migrations; it may be run again.
-- The slots of events are truncated before anybody has to vacuum them (event_slots.py), except one that many wait in.
DO $$ BEGIN
    FOR slot IN 0..3 LOOP
        EXECUTE 'ALTER TABLE event_invocations_' || slot || ' SET (fillfactor = 70)';
        EXECUTE (
            SELECT string_agg(
                'ALTER TABLE ' || name || '_' || slot || ' SET (autovacuum_vacuum_scale_factor = 0, '
                'autovacuum_vacuum_threshold = 100000, autovacuum_vacuum_insert_threshold = -1, '
                'autovacuum_analyze_threshold = 2000000000);', ' '
            ) FROM unnest(ARRAY['event_invocations', 'event_payloads']) AS name
        );
    END LOOP;
END $$;
ALTER TABLE target_deliveries SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
ALTER TABLE target_payloads SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
ALTER TABLE queue_messages SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
ALTER TABLE queue_message_documents SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
-- One row for each queue, rewritten with every batch.
ALTER TABLE queue_depths SET (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE log_groups SET (fillfactor = 50);
ALTER TABLE log_streams SET (fillfactor = 70);
ALTER TABLE metric_minutes SET (fillfactor = 70);
-- Objects are often compressed already; trying it takes longer than all else that a small one costs.
ALTER TABLE s3_small_contents ALTER COLUMN data SET STORAGE EXTERNAL;
