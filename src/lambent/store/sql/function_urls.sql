-- name: function_exists
SELECT 1 FROM functions WHERE account_id = :account_id AND region = :region AND name = :name;

-- name: insert
INSERT INTO function_urls (account_id, region, name, qualifier, url_id, document)
VALUES (:account_id, :region, :name, :qualifier, :url_id, :document)
ON CONFLICT DO NOTHING;

-- name: get
SELECT document FROM function_urls
WHERE account_id = :account_id AND region = :region AND name = :name AND qualifier = :qualifier;

-- name: by_id
SELECT document FROM function_urls WHERE url_id = :url_id;

-- name: every
SELECT document FROM function_urls ORDER BY url_id;

-- name: replace
UPDATE function_urls SET document = :document
WHERE account_id = :account_id AND region = :region AND name = :name AND qualifier = :qualifier;

-- name: delete
DELETE FROM function_urls
WHERE account_id = :account_id AND region = :region AND name = :name AND qualifier = :qualifier;

-- name: page
SELECT document FROM function_urls
WHERE account_id = :account_id AND region = :region AND name = :name AND qualifier > :after
ORDER BY qualifier LIMIT :limit;

-- name: first_page
SELECT document FROM function_urls
WHERE account_id = :account_id AND region = :region AND name = :name
ORDER BY qualifier LIMIT :limit;
