-- Who accepted which incident by its page and did not acknowledge it yet.
-- Own memory of intake's reader of the log, as `intake.silences`.

CREATE TABLE intake.accepted_pages (
    incident text PRIMARY KEY,
    cycle    integer NOT NULL,
    person   text NOT NULL,
    due_at   timestamptz NOT NULL
);
CREATE INDEX accepted_pages_due ON intake.accepted_pages (due_at, incident);
CREATE INDEX accepted_pages_of_person ON intake.accepted_pages (person);

GRANT SELECT, INSERT, UPDATE, DELETE ON intake.accepted_pages TO desk_intake;
GRANT SELECT ON intake.accepted_pages TO desk_auditor, desk_admin;
