-- Daily partitions with a named retention, for what need not be kept for ever.
-- A row whose day has no partition goes to `<table>_other`: nothing is refused for it.

CREATE SCHEMA upkeep;

CREATE TABLE upkeep.retention (
    table_name text PRIMARY KEY,                        -- schema.table
    days       int  NOT NULL CHECK (days BETWEEN 1 AND 3650)
);
INSERT INTO upkeep.retention VALUES ('log.commands', 7);

-- Make the partitions of `today` and the day after and drop those past their retention.
-- Returns what was made and dropped. A day that already has rows in `_other` is left there.
CREATE FUNCTION upkeep.turn_partitions(today date) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    kept record; day date; part text; old record; strays boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('upkeep.turn_partitions'));
    FOR kept IN SELECT * FROM upkeep.retention LOOP
        FOR day IN SELECT today + n FROM generate_series(0, 1) AS n LOOP
            part := kept.table_name || to_char(day, '"_d"YYYYMMDD');
            CONTINUE WHEN to_regclass(part) IS NOT NULL;
            EXECUTE format('SELECT EXISTS (SELECT FROM %s_other WHERE day = %L)',
                           kept.table_name, day) INTO strays;
            CONTINUE WHEN strays;
            EXECUTE format('CREATE TABLE %s PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                           part, kept.table_name, day, day + 1);
            RETURN NEXT 'made ' || part;
        END LOOP;
        FOR old IN
            SELECT i.inhrelid::regclass::text AS part
            FROM pg_inherits i
            WHERE i.inhparent = kept.table_name::regclass
              AND i.inhrelid::regclass::text ~ '_d\d{8}$'
              AND to_date(right(i.inhrelid::regclass::text, 8), 'YYYYMMDD')
                  < today - kept.days
        LOOP
            EXECUTE format('DROP TABLE %s', old.part);
            RETURN NEXT 'dropped ' || old.part;
        END LOOP;
        EXECUTE format('DELETE FROM %s_other WHERE day < %L', kept.table_name, today - kept.days);
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION upkeep.turn_partitions FROM PUBLIC;
GRANT USAGE ON SCHEMA upkeep TO desk_intake, desk_admin;
GRANT SELECT ON upkeep.retention TO desk_intake, desk_admin;
GRANT EXECUTE ON FUNCTION upkeep.turn_partitions TO desk_intake, desk_admin;
