-- Broken TTRs by service: too many of them hand the service to Problem Management.

-- One an incident: what was broken is not promised anew. Positions are places in the log.
CREATE TABLE escalation.breaches (
    incident        text PRIMARY KEY,
    position        bigint NOT NULL,
    service         text NOT NULL,                      -- of the incident at that position
    breached_at     timestamptz NOT NULL,
    overrun_seconds bigint,                             -- NULL: not done yet
    overran_by      bigint,
    crossing        bigint                              -- of what used the budget up with it
);
CREATE INDEX breaches_left ON escalation.breaches (service, breached_at)
    WHERE crossing IS NULL;
CREATE INDEX breaches_counted ON escalation.breaches (crossing) WHERE crossing IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON escalation.breaches TO desk_escalation;
GRANT SELECT ON escalation.breaches TO desk_auditor, desk_admin;

-- What was read before this was known counts from now on, and hands over nothing by itself.
INSERT INTO escalation.breaches (incident, position, service, breached_at)
SELECT DISTINCT ON (stream) substr(stream, 5), position, class.service,
       (event ->> 'breached_at')::timestamptz
FROM log.readable AS broken
CROSS JOIN LATERAL (
    SELECT told.event ->> 'service' AS service FROM log.readable AS told
    WHERE told.stream = 'incident-' || substr(broken.stream, 5)
      AND told.type IN ('incident.opened', 'incident.classified')
      AND told.position < broken.position
    ORDER BY told.version DESC LIMIT 1
) AS class
WHERE type = 'sla.breached' AND event ->> 'target' = 'ttr'
  AND position <= (SELECT max(position) FROM escalation.tracking)
ORDER BY stream, position;

UPDATE escalation.breaches AS own SET overrun_seconds = late.seconds, overran_by = late.position
FROM (
    SELECT DISTINCT ON (stream) substr(stream, 5) AS incident, position,
           (event ->> 'overrun_seconds')::bigint AS seconds
    FROM log.readable WHERE type = 'sla.overran' AND event ->> 'target' = 'ttr'
      AND position <= (SELECT max(position) FROM escalation.tracking)
    ORDER BY stream, position DESC
) AS late
WHERE own.incident = late.incident;

-- To list hand-overs of services straight from the log, and to find them by their problem.
CREATE INDEX service_handovers_begun ON log.events (notification_id)
    WHERE topic = 'handover.service_requested';
CREATE INDEX service_handovers_answered ON log.events (notification_id)
    WHERE topic IN ('handover.service_accepted', 'handover.service_joined');
