-- What needs an auditor's judgement, listed straight from the log: `services.projections.audit`.
-- A position comes last, so that a kind of a period is a range.
CREATE INDEX judged ON log.events (topic, notification_id)
    WHERE topic IN (
        'sla.breach_attributed', 'sla.extension_accepted', 'sla.extension_refused',
        'incident.cancelled', 'incident.redirected', 'incident.file_removed',
        'policy.applied', 'person.role_granted', 'person.role_withdrawn',
        'person.invited', 'person.removed', 'log.restored');  -- promises_moved is there already
CREATE INDEX overridden ON log.events (topic, notification_id)
    WHERE topic IN ('incident.opened', 'incident.classified')
      AND position('"override":true'::bytea in state) > 0;
CREATE INDEX backdated ON log.events (notification_id)
    WHERE topic = 'incident.opened'
      AND position('"backdated_because":'::bytea in state) > 0;
CREATE INDEX ended_by_force ON log.events (notification_id)
    WHERE topic = 'incident.resolved'
      AND position('"forced_because":'::bytea in state) > 0;

-- The incidents that closed in a period: samples are drawn from them.
CREATE INDEX incidents_closed ON log.events (notification_id) INCLUDE (originator_id)
    WHERE topic = 'incident.closed';

-- The journals of refused commands are one list.
CREATE INDEX refusals_by_time ON intake.refusals (at, refusal_id);
CREATE INDEX refusals_by_time ON sla.refusals (at, refusal_id);
CREATE INDEX refusals_by_time ON escalation.refusals (at, refusal_id);
GRANT USAGE ON SCHEMA sla, escalation TO desk_projections;
GRANT SELECT ON intake.refusals, sla.refusals, escalation.refusals TO desk_projections;

-- What each service remembers of the chain.
GRANT SELECT ON intake.tracking, sla.tracking, escalation.tracking TO desk_projections;

-- Whose keys were destroyed, when and why; keys of sources as well.
CREATE INDEX keys_destroyed ON vault.keys (destroyed_at, key_id)
    WHERE destroyed_at IS NOT NULL;

-- Which parts of the chain were verified, by whom, and what was found.
CREATE TABLE desk.verifications (
    verification_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    verified_at     timestamptz NOT NULL,
    verified_by     text,                               -- NULL: on the command line
    after           bigint NOT NULL,
    upto            bigint NOT NULL,
    chain           bytea NOT NULL CHECK (octet_length(chain) = 32),
    finding         text,                               -- NULL: the chain is whole
    found_at        bigint,
    CHECK (upto >= after),
    CHECK ((finding IS NULL) = (found_at IS NULL))
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON desk.verifications
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
GRANT USAGE ON SCHEMA desk TO desk_auditor;
GRANT SELECT, INSERT ON desk.verifications TO desk_projections, desk_admin;
GRANT SELECT ON desk.verifications TO desk_auditor;     -- a role that only reads
