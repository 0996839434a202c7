-- Whom to remind of which incident, and when; a row is dropped once it was due.
-- Own memory of intake's reader of the log, as `intake.silences`.

CREATE TABLE intake.reminders (
    due_at   timestamptz NOT NULL,
    incident text NOT NULL,
    person   text NOT NULL,
    PRIMARY KEY (incident, person)
);
CREATE INDEX reminders_due ON intake.reminders (due_at, incident, person);

GRANT SELECT, INSERT, UPDATE, DELETE ON intake.reminders TO desk_intake;
GRANT SELECT ON intake.reminders TO desk_auditor, desk_admin;
