-- Daily partitions with a named retention, for what need not be kept for ever.
-- A row whose day has no partition goes to `<table>_other`: nothing is refused for it.

CREATE SCHEMA upkeep;

CREATE TABLE upkeep.retention (
    table_name text PRIMARY KEY,                        -- schema.table
    days       int  NOT NULL CHECK (days BETWEEN 1 AND 3650)
);
INSERT INTO upkeep.retention VALUES ('log.commands', 7);

-- Make the partitions of one table for `today` and the day after, and drop those past its
-- retention. Returns what was made and dropped. A day that already has rows in `_other` is
-- left there. One table a transaction: this locks the table against everybody, and who
-- holds one of our tables may be waiting for another.
CREATE FUNCTION upkeep.turn_partitions(which text, today date) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog SET lock_timeout = '1s' AS $$
DECLARE
    keep int; day date; part text; strays boolean;
BEGIN
    SELECT days INTO STRICT keep FROM upkeep.retention WHERE table_name = which;
    PERFORM pg_advisory_xact_lock(hashtext('upkeep.turn_partitions'), hashtext(which));
    FOR day IN SELECT today + n FROM generate_series(0, 1) AS n LOOP
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
          AND to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') < today - keep
        ORDER BY 1
    LOOP
        EXECUTE format('DROP TABLE %s', part);
        RETURN NEXT 'dropped ' || part;
    END LOOP;
    EXECUTE format('DELETE FROM %s_other WHERE day < %L', which, today - keep);
END $$;

REVOKE ALL ON FUNCTION upkeep.turn_partitions FROM PUBLIC;
GRANT USAGE ON SCHEMA upkeep TO desk_intake, desk_admin;
GRANT SELECT ON upkeep.retention TO desk_intake, desk_admin;
GRANT EXECUTE ON FUNCTION upkeep.turn_partitions TO desk_intake, desk_admin;
