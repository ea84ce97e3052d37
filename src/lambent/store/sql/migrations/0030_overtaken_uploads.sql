-- 1 where the object was deleted while its upload went on.
ALTER TABLE s3_uploads ADD COLUMN overtaken INTEGER NOT NULL DEFAULT 0;
