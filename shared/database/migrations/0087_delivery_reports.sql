-- What providers report about messages, from intake, which they call, to escalation,
-- which records it and deletes the row. Only keys and states, nothing about people.
CREATE TABLE escalation.delivery_reports (
    key         text NOT NULL,
    state       text NOT NULL CHECK (state IN ('delivered', 'failed')),
    incident    text NOT NULL,
    provider    text NOT NULL,
    reason      text NOT NULL,                          -- '' if it was delivered
    reported_at timestamptz NOT NULL,
    next_at     timestamptz NOT NULL,                   -- when to record it, or to try again
    PRIMARY KEY (key, state)
);
CREATE INDEX delivery_reports_due ON escalation.delivery_reports (next_at);

GRANT USAGE ON SCHEMA escalation TO desk_intake;
GRANT INSERT, SELECT (key) ON escalation.delivery_reports TO desk_intake;
GRANT SELECT, UPDATE (next_at), DELETE ON escalation.delivery_reports TO desk_escalation;
GRANT SELECT ON escalation.delivery_reports TO desk_auditor, desk_admin;
