-- Up to when escalation has observed all schedules, and in which epoch of the log: another
-- one may lack what was recorded before. The rest follows from the log.
CREATE TABLE escalation.on_call_watermark (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    upto  timestamptz NOT NULL,
    epoch int NOT NULL
);

-- Mail about being on call. A row stays after it is sent, so that nobody is told twice.
CREATE TABLE escalation.on_call_mail (
    key          text PRIMARY KEY,
    kind         text NOT NULL,
    person       text NOT NULL,
    about        jsonb NOT NULL,                        -- ids and instants, no words
    requested_at timestamptz NOT NULL,
    next_at      timestamptz,                           -- null: sent, or given up
    attempts     int NOT NULL DEFAULT 0,
    outcome      text
) WITH (fillfactor = 70);
CREATE INDEX on_call_mail_due ON escalation.on_call_mail (next_at, key)
    WHERE next_at IS NOT NULL;
CREATE INDEX on_call_mail_old ON escalation.on_call_mail (requested_at)
    WHERE next_at IS NULL;

-- The team that has an incident, while it is at work: what a hand-off notice lists. An
-- index on the expression itself would touch the index with every update of a case.
ALTER TABLE escalation.cases ADD COLUMN at_work_team text GENERATED ALWAYS AS (
    CASE WHEN state ->> 'stage' = 'at_work' THEN state -> 'post' ->> 'team' END) STORED;
CREATE INDEX cases_at_work ON escalation.cases (at_work_team) WHERE at_work_team IS NOT NULL;

-- One process at a time observes the schedules and sends this mail.
INSERT INTO escalation.leases (name) VALUES ('on_call');

GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.on_call_watermark,
    escalation.on_call_mail TO desk_escalation;
GRANT SELECT ON escalation.on_call_watermark, escalation.on_call_mail
    TO desk_auditor, desk_admin;

CREATE POLICY escalation_observes ON log.events FOR INSERT TO desk_escalation WITH CHECK (
    split_part(originator_id, '-', 1) = 'on_call_history'
    AND topic IN ('on_call.handed_over', 'on_call.gap_found', 'on_call.gap_closed'));
