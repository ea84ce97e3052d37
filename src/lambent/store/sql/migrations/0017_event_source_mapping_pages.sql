CREATE INDEX event_source_mappings_by_source ON event_source_mappings (account_id, region, source_arn, uuid);
CREATE INDEX event_source_mappings_by_function ON event_source_mappings (account_id, region, function_arn, uuid);
