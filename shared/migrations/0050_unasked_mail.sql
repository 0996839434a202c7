-- Mails of the last day to addresses that nobody is known to have written from: so many and no more.
CREATE TABLE escalation.unasked_mail (
    key     text PRIMARY KEY,
    address text NOT NULL,                              -- a digest: it is counted, not read
    sent_at timestamptz NOT NULL
);
CREATE INDEX unasked_mail_of ON escalation.unasked_mail (address);
CREATE INDEX unasked_mail_age ON escalation.unasked_mail (sent_at);
GRANT SELECT, INSERT, DELETE ON escalation.unasked_mail TO desk_escalation;
GRANT SELECT ON escalation.unasked_mail TO desk_auditor, desk_admin;
