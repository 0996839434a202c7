-- When a service had a P1 that was not restored, and what of that used its budget up.

CREATE TABLE escalation.outages (
    incident text NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz,                               -- NULL: service is not back
    service  text NOT NULL,
    policy   integer NOT NULL,                          -- whose calendar it is
    calendar text NOT NULL,
    PRIMARY KEY (incident, began_at)
);
CREATE INDEX outages_of_service ON escalation.outages (service, began_at);

CREATE TABLE escalation.crossings (
    position         bigint PRIMARY KEY,                -- of what used the budget up
    service          text NOT NULL,
    crossed_at       timestamptz NOT NULL,              -- what was down before is counted
    downtime_seconds bigint NOT NULL,
    outages          text[] NOT NULL                    -- the P1s that made it
);
CREATE INDEX crossings_of_service ON escalation.crossings (service, crossed_at);

GRANT SELECT, INSERT, DELETE ON escalation.outages TO desk_escalation;
GRANT SELECT, INSERT ON escalation.crossings TO desk_escalation;
GRANT SELECT ON escalation.outages, escalation.crossings TO desk_auditor, desk_admin;
