-- Mail to the owners of surveys and of actions, as the log asks for it. A row stays after
-- it is sent, so that nobody is told twice.
CREATE TABLE escalation.survey_owner_mail (
    key      text PRIMARY KEY,
    survey   text NOT NULL,
    kind     text NOT NULL,
    start    timestamptz NOT NULL,
    action   int,
    owner    text NOT NULL,
    due_at   timestamptz NOT NULL,
    next_at  timestamptz,                               -- null: sent, or given up
    attempts int NOT NULL DEFAULT 0,
    outcome  text
) WITH (fillfactor = 70);
CREATE INDEX survey_owner_mail_due ON escalation.survey_owner_mail (next_at, key)
    WHERE next_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.survey_owner_mail TO desk_escalation;
GRANT SELECT ON escalation.survey_owner_mail TO desk_auditor, desk_admin;
