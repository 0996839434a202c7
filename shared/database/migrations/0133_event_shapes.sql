-- What a stolen password of a service could still record: an event without the fields of its
-- type, which nobody can read; and one that is JSON, but not for a query of PostgreSQL
-- ("\u0000", half a character), so that every query that looks into events fails for
-- everybody.

-- The fields that events of each type have had in every version. `permanence migrate` keeps
-- them up to date. A type of a later version is not listed, and is not checked.
CREATE TABLE log.event_shapes (
    topic    text PRIMARY KEY,
    required text[] NOT NULL
);
GRANT SELECT ON log.event_shapes TO desk_intake, desk_sla_watcher, desk_escalation,
    desk_projections, desk_auditor, desk_admin;

CREATE FUNCTION log.refuse_other_shapes() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong record;
BEGIN
    -- The owner runs the library's own tests, whose events are in no form of ours.
    IF NOT row_security_active('log.events') THEN
        RETURN NULL;
    END IF;
    SELECT notification_id AS position, topic, required INTO wrong
    FROM fresh LEFT JOIN log.event_shapes USING (topic)
    WHERE NOT convert_from(state, 'UTF8')::jsonb ?& coalesce(required, '{}')
    ORDER BY notification_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the state of position % lacks a field: % has %',
            wrong.position, wrong.topic, array_to_string(wrong.required, ', ')
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

-- Behind `follows`, which refuses what is not a JSON object.
CREATE TRIGGER shaped AFTER INSERT ON log.events
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT
    EXECUTE FUNCTION log.refuse_other_shapes();

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
