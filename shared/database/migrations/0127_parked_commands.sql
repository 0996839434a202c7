-- Parked events are retried and skipped from a screen: the owner of a reader stores what an
-- administrator asks, once for each command, and the API shows what readers have parked.

ALTER TABLE sla.parked_requests
    ADD COLUMN position bigint,                 -- the event to skip; NULL: the first that is parked
    ADD COLUMN command_id uuid UNIQUE;          -- NULL: asked from the command line
ALTER TABLE escalation.parked_requests
    ADD COLUMN position bigint, ADD COLUMN command_id uuid UNIQUE;
ALTER TABLE intake.parked_requests
    ADD COLUMN position bigint, ADD COLUMN command_id uuid UNIQUE;
ALTER TABLE rm.parked_requests
    ADD COLUMN position bigint, ADD COLUMN command_id uuid UNIQUE;

CREATE INDEX parked_requests_by_stream ON sla.parked_requests (reader, stream, request_id);
CREATE INDEX parked_requests_by_stream ON escalation.parked_requests (reader, stream, request_id);
CREATE INDEX parked_requests_by_stream ON intake.parked_requests (reader, stream, request_id);
CREATE INDEX parked_requests_by_stream ON rm.parked_requests (reader, stream, request_id);

GRANT INSERT (position, command_id) ON sla.parked_requests, escalation.parked_requests,
    intake.parked_requests, rm.parked_requests TO desk_admin;
GRANT INSERT (reader, stream, action, whole, requested_by, reason, position, command_id)
    ON sla.parked_requests TO desk_sla_watcher;
GRANT INSERT (reader, stream, action, whole, requested_by, reason, position, command_id)
    ON escalation.parked_requests TO desk_escalation;
GRANT INSERT (reader, stream, action, whole, requested_by, reason, position, command_id)
    ON intake.parked_requests TO desk_intake;
GRANT INSERT (reader, stream, action, whole, requested_by, reason, position, command_id)
    ON rm.parked_requests TO desk_projections;

GRANT USAGE ON SCHEMA sla, escalation, intake TO desk_projections;
GRANT SELECT ON sla.parked, sla.parked_requests, sla.skipped,
    escalation.parked, escalation.parked_requests, escalation.skipped,
    intake.parked, intake.parked_requests, intake.skipped TO desk_projections;

-- Whether answers to an anonymous survey wait, which those who publish a month are told; not how many.
ALTER TABLE intake.anonymous_answers ADD COLUMN waits boolean NOT NULL DEFAULT false;
UPDATE intake.anonymous_answers SET waits = true WHERE sealed <> '';
GRANT SELECT (survey, waits) ON intake.anonymous_answers TO desk_projections;
