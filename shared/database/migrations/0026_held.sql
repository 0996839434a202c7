-- What is held becomes something later: who asks then is told what.

ALTER TABLE intake.requests ADD COLUMN signal_key text;             -- of what is held alone
CREATE INDEX requests_held ON intake.requests (signal_key) WHERE status = 'held';

GRANT UPDATE (status, incident, version, reason, rule, rule_of) ON intake.requests TO desk_intake;

-- A letter that was set aside may be taken all the same, by the word of a person.
ALTER TABLE intake.letters
    ADD COLUMN retried_at timestamptz,
    ADD COLUMN retried_by text;

GRANT UPDATE (verdict, reason, incident, person, owner, sealed, retried_at, retried_by)
    ON intake.letters TO desk_intake;

-- What sources told was deployed or configured: no trouble, but what people look at first.
CREATE TABLE intake.observed_changes (
    change_key  bytea NOT NULL,                         -- of source and event id, else of the body
    day         date NOT NULL,
    received_at timestamptz NOT NULL,
    happened_at timestamptz NOT NULL,                   -- by its source, at the latest when received
    source      text NOT NULL,
    service     text NOT NULL,
    sealed      text NOT NULL,                          -- summary and links, under the source's key
    PRIMARY KEY (change_key, day)
) PARTITION BY RANGE (day);
CREATE TABLE intake.observed_changes_other PARTITION OF intake.observed_changes DEFAULT;
CREATE INDEX observed_changes_of ON intake.observed_changes (service, happened_at);
INSERT INTO upkeep.retention VALUES ('intake.observed_changes', 92);

GRANT SELECT, INSERT ON intake.observed_changes TO desk_intake;
GRANT SELECT ON intake.observed_changes TO desk_projections, desk_admin, desk_auditor;
