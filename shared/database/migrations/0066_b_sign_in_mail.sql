-- Mail about signing in that waits to be sent: links that were asked for, alarms of
-- break-glass codes. Escalation takes the rows and deletes them. An address is here for
-- seconds, and never in the log.

CREATE TABLE access.sign_in_mail (
    request_id   uuid PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('link', 'break_glass')),
    address      text CHECK (length(address) <= 254),   -- of whom a link was asked for
    session_id   text REFERENCES access.sessions,       -- that a code began
    label        text NOT NULL DEFAULT '' CHECK (length(label) <= 200),
    requested_at timestamptz NOT NULL,
    next_at      timestamptz NOT NULL,
    attempts     int NOT NULL DEFAULT 0,
    sent         text[] NOT NULL DEFAULT '{}',          -- keys of messages that are over
    CHECK ((kind = 'link') = (address IS NOT NULL)),
    CHECK ((kind = 'break_glass') = (session_id IS NOT NULL)),
    CONSTRAINT readable CHECK (
        least(requested_at, next_at) > '2000-01-01'
        AND greatest(requested_at, next_at) < '2300-01-01')
);
CREATE INDEX sign_in_mail_due ON access.sign_in_mail (next_at);
GRANT INSERT, SELECT (request_id) ON access.sign_in_mail TO desk_projections;
GRANT SELECT, UPDATE (next_at, attempts, sent), DELETE ON access.sign_in_mail TO desk_escalation;
GRANT SELECT ON access.sign_in_mail TO desk_admin;
