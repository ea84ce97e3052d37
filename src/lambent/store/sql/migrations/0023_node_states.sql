-- What a node tells of itself with each beat, as JSON: for people, and for who chooses among nodes.
ALTER TABLE nodes ADD COLUMN state TEXT NOT NULL DEFAULT '{}';
