-- When each user was last asked about an incident, so that nobody is asked too often.
-- Own memory of intake's reader of the log, as `intake.silences`.
CREATE TABLE intake.survey_invitations (
    person     text PRIMARY KEY,
    invited_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON intake.survey_invitations TO desk_intake;
GRANT SELECT ON intake.survey_invitations TO desk_auditor, desk_admin;

-- Mail about surveys, as the log asks for it. A row stays after it is sent, so that nobody
-- is written to twice.
CREATE TABLE escalation.survey_mail (
    incident     text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('invitation', 'reminder')),
    requested_at timestamptz NOT NULL,
    next_at      timestamptz,                           -- null: sent, or given up
    attempts     int NOT NULL DEFAULT 0,
    outcome      text,
    PRIMARY KEY (incident, kind)
) WITH (fillfactor = 70);
CREATE INDEX survey_mail_due ON escalation.survey_mail (next_at, incident, kind)
    WHERE next_at IS NOT NULL;
CREATE INDEX survey_mail_old ON escalation.survey_mail (requested_at)
    WHERE next_at IS NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.survey_mail TO desk_escalation;
GRANT SELECT ON escalation.survey_mail TO desk_auditor, desk_admin;
