-- Dimensions that are too long for an index of PostgreSQL (2.7 KB): `metrics` has the key in their place. They stay when
-- their metric is gone.
CREATE TABLE metric_long_dimensions (key TEXT PRIMARY KEY, dimensions TEXT NOT NULL) STRICT;
