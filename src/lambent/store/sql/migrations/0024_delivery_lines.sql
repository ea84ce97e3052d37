-- Deliveries of one line are made one after the other: those behind the first are not due before it is settled.
ALTER TABLE target_deliveries ADD COLUMN line TEXT;

CREATE INDEX target_deliveries_in_line ON target_deliveries (queue, line, number) WHERE line IS NOT NULL;
