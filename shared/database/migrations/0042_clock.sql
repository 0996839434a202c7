-- Whose clock the log goes by: PostgreSQL's own (`server`), or that of the callers (`lever`,
-- for demos and tests, whose time is moved by a file). Set once, while the log is empty.

CREATE TABLE log.clock (
    one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    mode    text    NOT NULL CHECK (mode IN ('server', 'lever'))
);

-- A log that already has events keeps the lever only if its first policy says that it is a
-- demo's or a test's. `permanence migrate --clock` names the mode of an empty one.
INSERT INTO log.clock (mode)
SELECT CASE
    WHEN NOT EXISTS (SELECT FROM log.events)
        THEN coalesce(nullif(current_setting('permanence.clock', true), ''), 'server')
    WHEN (SELECT event ->> 'purpose' FROM log.readable
          WHERE stream = 'policy-desk' ORDER BY version LIMIT 1) IN ('demo', 'test')
        THEN 'lever'
    ELSE 'server'
END;

CREATE FUNCTION log.refuse_clock_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the clock of a log is chosen once, while the log is empty: % refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER chosen_once BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON log.clock
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_clock_change();

-- Today in UTC by PostgreSQL's clock; NULL where the caller's instant counts.
CREATE VIEW log.today AS
SELECT CASE mode WHEN 'server' THEN (clock_timestamp() AT TIME ZONE 'UTC')::date END AS day
FROM log.clock;

GRANT SELECT ON log.clock, log.today TO desk_intake, desk_sla_watcher, desk_escalation,
    desk_projections, desk_auditor, desk_admin;

-- In server mode nobody records another instant than PostgreSQL's. Five seconds: longer than
-- a writer may hold the append lock. A log whose head lies ahead (recorded by a wrong clock
-- before this version, or PostgreSQL's own clock was set back) goes on at its head's instant.
CREATE FUNCTION log.refuse_wrong_instant() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    low bigint; earliest timestamptz; latest timestamptz; before timestamptz;
    present CONSTANT timestamptz := clock_timestamp();
    bound CONSTANT interval := '5 seconds';
BEGIN
    IF (SELECT mode FROM log.clock) <> 'server' THEN
        RETURN NULL;
    END IF;
    SELECT min(notification_id), min(recorded_at), max(recorded_at)
    INTO low, earliest, latest FROM fresh;
    IF earliest >= present - bound AND latest <= present + bound THEN
        RETURN NULL;
    END IF;
    SELECT recorded_at INTO before FROM log.events WHERE notification_id = low - 1;
    IF earliest < present - bound OR latest IS DISTINCT FROM before THEN
        RAISE EXCEPTION 'recorded_at % to % is not the server''s time, which is %',
            earliest, latest, present USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER stamped AFTER INSERT ON log.events
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT
    EXECUTE FUNCTION log.refuse_wrong_instant();

-- As before, but no caller can have anything dropped before its time: in server mode the day
-- is PostgreSQL's whatever the caller says; in lever mode nothing is dropped that is not
-- past its retention on the day of the log's last event.
CREATE OR REPLACE FUNCTION upkeep.turn_partitions(which text, today date)
RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog SET lock_timeout = '1s' AS $$
DECLARE
    keep int; day date; part text; strays boolean; present date; reached date;
BEGIN
    SELECT days INTO STRICT keep FROM upkeep.retention WHERE table_name = which;
    SELECT t.day INTO STRICT present FROM log.today AS t;
    IF present IS NULL THEN
        SELECT (recorded_at AT TIME ZONE 'UTC')::date INTO reached
        FROM log.events ORDER BY notification_id DESC LIMIT 1;
        present := today;
        reached := least(today, coalesce(reached, '-infinity'::date));
    ELSE
        reached := present;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('upkeep.turn_partitions'), hashtext(which));
    FOR day IN SELECT present + n FROM generate_series(0, 1) AS n LOOP
        part := which || to_char(day, '"_d"YYYYMMDD');
        CONTINUE WHEN to_regclass(part) IS NOT NULL;
        EXECUTE format('SELECT EXISTS (SELECT FROM %s_other WHERE day = %L)', which, day)
            INTO strays;
        CONTINUE WHEN strays;
        EXECUTE format('CREATE TABLE %s PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                       part, which, day, day + 1);
        RETURN NEXT 'made ' || part;
    END LOOP;
    FOR part IN
        SELECT inhrelid::regclass::text FROM pg_inherits
        WHERE inhparent = which::regclass
          AND inhrelid::regclass::text ~ '_d\d{8}$'
          AND to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') < reached - keep
        ORDER BY 1
    LOOP
        EXECUTE format('DROP TABLE %s', part);
        RETURN NEXT 'dropped ' || part;
    END LOOP;
    EXECUTE format('DELETE FROM %s_other WHERE day < %L', which, reached - keep);
END $$;
