-- Mail to contacts of clients with a link to a published report, as the log asks for it.
-- A row stays after it is sent, so that nobody is sent an edition twice.
CREATE TABLE escalation.month_report_mail (
    key          text PRIMARY KEY,
    edition      text NOT NULL,                         -- client, month and number
    person       text NOT NULL,
    published_at timestamptz NOT NULL,
    next_at      timestamptz,                           -- null: sent, or given up
    attempts     int NOT NULL DEFAULT 0,
    outcome      text
) WITH (fillfactor = 70);
CREATE INDEX month_report_mail_due ON escalation.month_report_mail (next_at, key)
    WHERE next_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.month_report_mail TO desk_escalation;
GRANT SELECT ON escalation.month_report_mail TO desk_auditor, desk_admin;
