-- What waits in quarantine is tried again, let out or discarded; what was done about it stays.

ALTER TABLE intake.quarantine
    ADD COLUMN state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'released', 'discarded')),
    ADD COLUMN elements int,                            -- as which the body was read; NULL: not noted then
    ADD COLUMN tries int NOT NULL DEFAULT 0;
CREATE INDEX quarantine_waiting ON intake.quarantine (quarantine_id) WHERE state = 'waiting';

-- One row for each try, release and discard; of a body that came to several, one each.
CREATE TABLE intake.quarantine_journal (
    entry_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    quarantine_id bigint NOT NULL REFERENCES intake.quarantine,
    at            timestamptz NOT NULL,
    actor         text NOT NULL,
    what          text NOT NULL CHECK (what IN ('tried', 'released', 'discarded')),
    status        text,                                 -- what became of the element
    incident      text,
    version       bigint,                               -- of the incident's stream; its entry has the position
    reason        text
);
CREATE INDEX quarantine_journal_of ON intake.quarantine_journal (quarantine_id);

GRANT UPDATE (state, elements, tries, reason, received_at) ON intake.quarantine TO desk_intake;
GRANT SELECT, INSERT ON intake.quarantine_journal TO desk_intake;
GRANT SELECT ON intake.quarantine_journal TO desk_admin, desk_auditor;
