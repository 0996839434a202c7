-- What a stolen password of a service could still record: an event without the fields of its
-- type, which nobody can read; and one that is JSON, but not for a query of PostgreSQL
-- ("\u0000", half a character), so that every query that looks into events fails for
-- everybody.

-- The fields that events of each type have had in every version. `permanence migrate` keeps
-- them up to date. A type that is not listed, as of a later version, is not checked.
CREATE TABLE log.event_shapes (
    topic    text PRIMARY KEY,
    required text[] NOT NULL
);
GRANT SELECT ON log.event_shapes TO desk_intake, desk_sla_watcher, desk_escalation,
    desk_projections, desk_auditor, desk_admin;

-- As in 0053, except for the shape: what jsonb cannot hold, no query can look into.
CREATE OR REPLACE FUNCTION log.refuse_what_does_not_follow() RETURNS trigger LANGUAGE plpgsql
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
           min(position) FILTER (WHERE jsonb_typeof(document) <> 'object') AS unreadable,
           min(position) FILTER (WHERE NOT document ?& required) AS lacking
    INTO wrong FROM (
        SELECT notification_id AS position, originator_id AS stream,
               originator_version AS version, required,
               convert_from(state, 'UTF8')::jsonb AS document,
               lag(originator_version) OVER in_stream AS previous
        FROM fresh LEFT JOIN log.event_shapes USING (topic)
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
    IF wrong.lacking IS NOT NULL THEN
        SELECT notification_id AS lacking, topic, required INTO wrong
        FROM fresh JOIN log.event_shapes USING (topic)
        WHERE notification_id = wrong.lacking;
        RAISE EXCEPTION 'the state of position % lacks a field: % has %', wrong.lacking,
            wrong.topic, array_to_string(wrong.required, ', ')
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

-- Every query that looks into events asks these, also about those that were recorded before:
-- they return null where the event cannot be read, or the field is of another kind.
CREATE FUNCTION log.said(state bytea, key text) RETURNS text LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN convert_from(state, 'UTF8')::jsonb ->> key;
EXCEPTION WHEN data_exception OR program_limit_exceeded OR statement_too_complex THEN
    RETURN NULL;
END $$;

CREATE FUNCTION log.said_at(state bytea, key text) RETURNS timestamptz LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN log.said(state, key)::timestamptz;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END $$;

CREATE FUNCTION log.document(state bytea) RETURNS json LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM convert_from(state, 'UTF8')::jsonb;         -- all that `->>` may meet
    RETURN convert_from(state, 'UTF8')::json;
EXCEPTION WHEN data_exception OR program_limit_exceeded OR statement_too_complex THEN
    RETURN NULL;
END $$;

CREATE OR REPLACE VIEW log.readable AS
SELECT notification_id AS position, originator_id AS stream, originator_version AS version,
       topic AS type, recorded_at, command_id, log.document(state) AS event,
       encode(chain, 'hex') AS chain
FROM log.events;
COMMENT ON COLUMN log.readable.event IS
    'Null if PostgreSQL cannot read it; `permanence audit readable` says why.';
