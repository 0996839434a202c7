-- Signals of which the incident cannot be read wait in quarantine, in the order they came.

ALTER TABLE intake.quarantine
    ADD COLUMN signal_key text,                         -- of a signal that waits in order; NULL: unmapped
    ADD COLUMN awaits     text,                         -- the record that could not be read, if one is known
    ADD COLUMN in_turn    boolean NOT NULL DEFAULT false;   -- nothing of its key was taken since it came

-- An unmapped element waits once. A signal is one of a sequence: the same body may come twice.
ALTER TABLE intake.quarantine DROP CONSTRAINT quarantine_source_digest_element_key;
CREATE UNIQUE INDEX quarantine_unmapped ON intake.quarantine (source, digest, element)
    WHERE signal_key IS NULL;
CREATE INDEX quarantine_in_order ON intake.quarantine (signal_key, quarantine_id)
    WHERE state = 'waiting' AND signal_key IS NOT NULL;

GRANT UPDATE (signal_key, awaits) ON intake.quarantine TO desk_intake;

-- What became of an event id that waited is told once it is known.
GRANT UPDATE (signal_key) ON intake.requests TO desk_intake;
