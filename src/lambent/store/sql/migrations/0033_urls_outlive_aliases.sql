-- The URL of an alias stays when the alias is deleted, as at AWS.
DROP TRIGGER aliases_deleted_with_urls;
