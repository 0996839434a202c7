-- What the escalation service keeps beside its cases, all made anew from the log.

-- What is requested and not yet confirmed or failed. `position` is that of the request.
CREATE TABLE escalation.outbox (
    key           text PRIMARY KEY,
    position      bigint NOT NULL,
    incident      text NOT NULL,
    policy        bigint NOT NULL,
    kind          text NOT NULL,
    channel       text NOT NULL,
    person        text NOT NULL,                        -- '': the desk's receiver of pages
    cause_stream  text NOT NULL,
    cause_version bigint NOT NULL,
    requested_at  timestamptz NOT NULL,
    sent          boolean NOT NULL DEFAULT false,       -- `notification.sent` is in the log
    attempts      int NOT NULL DEFAULT 0,
    next_at       timestamptz NOT NULL                  -- when to try it, or to try it again
) WITH (fillfactor = 70);
-- Nothing overtakes what the same reader is to hear before about the same incident.
CREATE INDEX outbox_lanes ON escalation.outbox (incident, channel, person, position);
CREATE INDEX outbox_due ON escalation.outbox (next_at, position);

CREATE TABLE escalation.problems (
    problem       text PRIMARY KEY,
    service       text NOT NULL,
    identified_by bigint NOT NULL,                      -- positions in the log
    resolved_by   bigint
);
CREATE INDEX problems_of_service ON escalation.problems (service, identified_by);

CREATE TABLE escalation.problem_incidents (
    problem  text NOT NULL,
    incident text NOT NULL,
    PRIMARY KEY (problem, incident)
);

-- Commands that were understood and answered no.
CREATE TABLE escalation.refusals (
    refusal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    verb       text NOT NULL,
    incident   text NOT NULL,
    code       text NOT NULL,
    reason     text NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.outbox, escalation.problem_incidents
    TO desk_escalation;
GRANT SELECT, INSERT, UPDATE ON escalation.problems TO desk_escalation;
GRANT SELECT, INSERT ON escalation.refusals TO desk_escalation;
GRANT SELECT ON escalation.outbox, escalation.problems, escalation.problem_incidents,
    escalation.refusals TO desk_auditor, desk_admin;

-- To list hand-overs straight from the log: one an incident that broke its promise.
CREATE INDEX handovers_begun ON log.events (notification_id)
    WHERE topic = 'handover.requested';
