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
