-- What a body alone does not tell is kept with it, so that a later reading is the same:
-- the few headers its format reads, and the idempotency key it came under. NULL: none.

ALTER TABLE intake.raw_bodies ADD COLUMN headers text;              -- sealed as the body is
ALTER TABLE intake.quarantined_bodies ADD COLUMN headers text;      -- likewise
ALTER TABLE intake.quarantine ADD COLUMN event_id text;

GRANT UPDATE (event_id) ON intake.quarantine TO desk_intake;
