-- Mails of the last day to addresses that nobody is known to have written from: so many and no more.
CREATE TABLE escalation.unsolicited_mail (
    key     text PRIMARY KEY,
    address text NOT NULL,                              -- a digest: it is counted, not read
    sent_at timestamptz NOT NULL
);
CREATE INDEX unsolicited_mail_of ON escalation.unsolicited_mail (address);
CREATE INDEX unsolicited_mail_age ON escalation.unsolicited_mail (sent_at);
GRANT SELECT, INSERT, DELETE ON escalation.unsolicited_mail TO desk_escalation;
GRANT SELECT ON escalation.unsolicited_mail TO desk_auditor, desk_admin;
