-- As before, but whether a day has rows in `_other` is looked at while nobody can add one:
-- a command of that moment made the partition fail, until the next hour.

CREATE OR REPLACE FUNCTION upkeep.turn_partitions(which text, today date)
RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
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
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', which);
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
