-- What a stolen password of a service could still do to the log: hang one event on a chain
-- of its own, so that all later ones are refused by every reader, for ever; stamp it with any
-- instant in a log that goes by a lever; leave versions out; store what is not JSON; record
-- another service's events in a stream of its own. From now on the database computes what
-- follows, for a whole statement at once.

CREATE FUNCTION log.refuse_what_does_not_follow() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    low bigint; high bigint; n bigint; earliest timestamptz; latest timestamptz;
    before record; head bigint; mode text; wrong record;
    present CONSTANT timestamptz := clock_timestamp();
    bound CONSTANT interval := '5 seconds';             -- longer than the append lock is held
    lever_bound CONSTANT interval := '10 years';        -- no demo and no test is that far ahead
    genesis CONSTANT bytea := decode(repeat('00', 32), 'hex');
    -- The owner runs the library's own tests, whose events are in no form of ours.
    of_a_service CONSTANT boolean := row_security_active('log.events');
BEGIN
    SELECT min(notification_id), max(notification_id), count(*),
           min(recorded_at), max(recorded_at)
    INTO low, high, n, earliest, latest FROM fresh;
    IF n = 0 THEN
        RETURN NULL;
    END IF;
    -- Ordered, not equal: so the index is used whatever size the planner believes in.
    SELECT notification_id, recorded_at, chain INTO before FROM log.events
    WHERE notification_id < low ORDER BY notification_id DESC LIMIT 1;
    head := coalesce(before.notification_id, 0);
    IF low <> head + 1 OR high - low + 1 <> n THEN
        RAISE EXCEPTION 'positions % to % leave a gap in the event log', low, high
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    SELECT min(position) FILTER (WHERE recorded_at < earlier) AS back,
           min(position) FILTER (WHERE chain <> sha256(
               link || convert_to(
                   '[' || position || ',' || to_json(stream) || ',' || version || ','
                   || to_json(topic) || ','
                   || (extract(epoch FROM recorded_at) * 1000000)::bigint || ','
                   || coalesce('"' || command_id || '"', 'null') || E']\n', 'UTF8')
               || state)) AS unchained
    INTO wrong FROM (
        SELECT notification_id AS position, originator_id AS stream,
               originator_version AS version, topic, recorded_at, command_id, state, chain,
               lag(chain, 1, coalesce(before.chain, genesis)) OVER in_order AS link,
               lag(recorded_at, 1, coalesce(before.recorded_at, '-infinity'))
                   OVER in_order AS earlier
        FROM fresh WINDOW in_order AS (ORDER BY notification_id)
    ) AS links;
    IF wrong.back IS NOT NULL THEN
        RAISE EXCEPTION 'positions % to % go back in time, at %', low, high, wrong.back
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF wrong.unchained IS NOT NULL THEN
        RAISE EXCEPTION 'the chain hash of position % does not follow from the event before it',
            wrong.unchained USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    -- In server mode nobody records another instant than PostgreSQL's. A log whose head lies
    -- ahead (recorded by a wrong clock, or PostgreSQL's own was set back) goes on at its
    -- head's instant.
    SELECT c.mode INTO STRICT mode FROM log.clock AS c;
    IF latest IS DISTINCT FROM before.recorded_at
       AND ((mode = 'server' AND latest > present + bound)
            OR (of_a_service AND latest > present + lever_bound))
       OR (mode = 'server' AND earliest < present - bound) THEN
        RAISE EXCEPTION 'recorded_at % to % is not the server''s time, which is %',
            earliest, latest, present USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    IF NOT of_a_service THEN
        RETURN NULL;
    END IF;
    SELECT min(position) FILTER (WHERE version <> 1 + CASE
               WHEN previous IS NOT NULL THEN previous
               WHEN version <= 1 THEN 0                 -- nothing comes before the first
               ELSE coalesce((
                   SELECT e.originator_version FROM log.events AS e
                   WHERE e.originator_id = stream AND e.originator_version < version
                   ORDER BY e.originator_version DESC LIMIT 1), 0)
               END) AS unversioned,
           min(position) FILTER (
               WHERE convert_from(state, 'UTF8') IS NOT JSON OBJECT) AS unreadable
    INTO wrong FROM (
        SELECT notification_id AS position, originator_id AS stream,
               originator_version AS version, state,
               lag(originator_version) OVER in_stream AS previous
        FROM fresh
        WINDOW in_stream AS (PARTITION BY originator_id ORDER BY notification_id)
    ) AS versions;
    IF wrong.unversioned IS NOT NULL THEN
        RAISE EXCEPTION 'position % does not have the next version of its stream',
            wrong.unversioned USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF wrong.unreadable IS NOT NULL THEN
        RAISE EXCEPTION 'the state of position % is not a JSON object', wrong.unreadable
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER gapless ON log.events;
DROP TRIGGER stamped ON log.events;
DROP FUNCTION log.refuse_gap();
DROP FUNCTION log.refuse_wrong_instant();
CREATE TRIGGER follows AFTER INSERT ON log.events
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT
    EXECUTE FUNCTION log.refuse_what_does_not_follow();

-- Readers go by the type, not by the stream: a stream of one's own may hold only what its
-- service decides.
ALTER POLICY intake_writes ON log.events WITH CHECK (
    split_part(originator_id, '-', 1) IN ('incident', 'problem', 'change', 'survey', 'person')
    AND split_part(topic, '.', 1) = split_part(originator_id, '-', 1));
ALTER POLICY intake_announces ON log.events WITH CHECK (
    originator_id = 'maintenance-desk' AND topic LIKE 'maintenance.%');
ALTER POLICY sla_watcher_writes ON log.events WITH CHECK (
    split_part(originator_id, '-', 1) = 'sla' AND split_part(topic, '.', 1) IN ('sla', 'promises'));
ALTER POLICY escalation_writes ON log.events WITH CHECK (
    (split_part(originator_id, '-', 1), split_part(topic, '.', 1)) IN
    (('escalation', 'escalation'), ('escalation', 'notification'), ('handover', 'handover')));
ALTER POLICY admin_writes ON log.events WITH CHECK (
    originator_id = 'policy-desk' AND topic LIKE 'policy.%');
