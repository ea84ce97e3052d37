-- The number of the last migration that a node knows. Those from before this have 0.
ALTER TABLE nodes ADD COLUMN schema_known INTEGER NOT NULL DEFAULT 0;
