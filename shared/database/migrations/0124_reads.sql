-- Who read personal words: a row for each reader, record and quarter of an hour, and one for
-- each search, export and page of the log (decision 77). Beside the log, since it has to end:
-- nobody but these functions reads or changes it.

CREATE SCHEMA reads;

CREATE TABLE reads.windows (
    record text        NOT NULL CHECK (length(record) BETWEEN 1 AND 400),
    since  timestamptz NOT NULL,                        -- when the quarter of an hour began
    reader text        NOT NULL CHECK (reader <> ''),   -- as the actor of an event
    served text[]      NOT NULL,                        -- the kinds of answers, each once
    PRIMARY KEY (record, since, reader)
);
CREATE INDEX windows_of_reader ON reads.windows (reader, since);
CREATE INDEX windows_by_age ON reads.windows USING brin (since);

CREATE TABLE reads.requests (
    request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    reader     text NOT NULL CHECK (reader <> ''),
    served     text NOT NULL CHECK (served IN ('search', 'export', 'log', 'question')),
    address    text,                                    -- without its parameters
    records    int  NOT NULL,                           -- how many it showed
    about      text,                                    -- what a question asks about
    reason     text,
    CONSTRAINT only_a_question_has_a_reason CHECK (
        (served = 'question') = (reason IS NOT NULL AND about IS NOT NULL)),
    CONSTRAINT a_reason_says_something CHECK (
        btrim(reason) <> '' AND length(reason) <= 1000)
);
CREATE INDEX requests_of_reader ON reads.requests (reader, at);
CREATE INDEX requests_about ON reads.requests (about, at) WHERE about IS NOT NULL;
CREATE INDEX requests_by_age ON reads.requests USING brin (at);

-- The instant of a read: what waits to be written is an hour old at most, and none is ahead.
CREATE FUNCTION reads.instant(claimed timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE mode
        WHEN 'server' THEN least(greatest(claimed, clock_timestamp() - interval '1 hour'),
                                 clock_timestamp())
        ELSE claimed END
    FROM log.clock
$$;

-- Sorted, so that two processes never wait for each other's rows.
CREATE FUNCTION reads.note(readers text[], records text[], kinds text[], at timestamptz[])
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO reads.windows AS known (record, since, reader, served)
    SELECT record, since, reader, array_agg(DISTINCT kind ORDER BY kind)
    FROM (
        SELECT r.record, r.reader, r.kind,
               date_bin('15 minutes', reads.instant(r.at), 'epoch'::timestamptz) AS since
        FROM unnest(readers, records, kinds, at) AS r (reader, record, kind, at)
    ) AS fresh
    GROUP BY record, since, reader ORDER BY record, since, reader
    ON CONFLICT (record, since, reader) DO UPDATE SET served = ARRAY(
        SELECT DISTINCT kind FROM unnest(known.served || excluded.served) AS kind ORDER BY kind)
    WHERE NOT known.served @> excluded.served
$$;

CREATE FUNCTION reads.request(
    by text, kind text, address text, records text[], at timestamptz
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO reads.requests (at, reader, served, address, records)
    VALUES (reads.instant(at), by, kind, address, cardinality(records));
    SELECT reads.note(array_fill(by, ARRAY[cardinality(records)]), records,
                      array_fill(kind, ARRAY[cardinality(records)]),
                      array_fill(at, ARRAY[cardinality(records)]))
    WHERE cardinality(records) > 0
$$;

-- The only way to read: a question is recorded before it is answered, by the same call. The
-- same one within a quarter of an hour is recorded once, so that it can be read page by page.
CREATE FUNCTION reads.ask(
    by text, why text, of_record text, of_reader text, earliest timestamptz, latest timestamptz,
    before_at timestamptz, before_key text, most int, now timestamptz
) RETURNS TABLE (key text, at timestamptz, reader text, record text, served text[],
                 address text, records int, reason text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    wanted CONSTANT text := concat_ws(' ', of_record, of_reader);
    present CONSTANT timestamptz := reads.instant(now);
BEGIN
    IF of_record IS NULL AND of_reader IS NULL THEN
        RAISE EXCEPTION 'a question is about a record or a reader'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO reads.requests (at, reader, served, records, about, reason)
    SELECT present, by, 'question', 0, wanted, why
    WHERE NOT EXISTS (
        SELECT FROM reads.requests AS r
        WHERE r.about = wanted AND r.reader = by AND r.reason = why
          AND r.at > present - interval '15 minutes');
    RETURN QUERY
    SELECT found.key, found.at, found.reader, found.record, found.served, found.address,
           found.records, found.reason
    FROM (
        SELECT concat_ws(' ', w.record, w.reader) AS key, w.since AS at, w.reader, w.record,
               w.served, NULL::text AS address, NULL::int AS records, NULL::text AS reason
        FROM reads.windows AS w
        WHERE (of_record IS NULL OR w.record = of_record)
          AND (of_reader IS NULL OR w.reader = of_reader)
          AND w.since > earliest - interval '15 minutes' AND w.since < latest
        UNION ALL
        SELECT r.request_id::text, r.at, r.reader, r.about, ARRAY[r.served],
               r.address, r.records, r.reason
        FROM reads.requests AS r
        WHERE ((of_record IS NULL AND r.reader = of_reader) OR r.about = wanted)
          AND r.at >= earliest AND r.at < latest
    ) AS found
    WHERE before_at IS NULL OR (found.at, found.key) < (before_at, before_key)
    ORDER BY found.at DESC, found.key DESC LIMIT most;
END $$;

-- A year. As for quarantine, the day is PostgreSQL's, or in lever mode no later than the
-- log's last event; not all at once.
INSERT INTO upkeep.retention VALUES ('reads.windows', 365, false), ('reads.requests', 365, false);

CREATE FUNCTION upkeep.expire_reads(today date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    at_once CONSTANT int := 10000;
    reached date; kept int; windows bigint; requests bigint;
BEGIN
    SELECT t.day INTO STRICT reached FROM log.today AS t;
    IF reached IS NULL THEN
        SELECT least(today, (recorded_at AT TIME ZONE 'UTC')::date) INTO reached
        FROM log.events ORDER BY notification_id DESC LIMIT 1;
    END IF;
    SELECT days INTO STRICT kept FROM upkeep.retention WHERE table_name = 'reads.windows';
    DELETE FROM reads.windows WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM reads.windows
        WHERE since < (reached - kept)::timestamp AT TIME ZONE 'UTC' LIMIT at_once));
    GET DIAGNOSTICS windows = ROW_COUNT;
    SELECT days INTO STRICT kept FROM upkeep.retention WHERE table_name = 'reads.requests';
    DELETE FROM reads.requests WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM reads.requests
        WHERE at < (reached - kept)::timestamp AT TIME ZONE 'UTC' LIMIT at_once));
    GET DIAGNOSTICS requests = ROW_COUNT;
    RETURN windows + requests;
END $$;

REVOKE ALL ON FUNCTION reads.instant, reads.note, reads.request, reads.ask, upkeep.expire_reads
    FROM PUBLIC;
GRANT USAGE ON SCHEMA reads TO desk_projections, desk_intake;
GRANT EXECUTE ON FUNCTION reads.note TO desk_projections, desk_intake;
GRANT EXECUTE ON FUNCTION reads.request, reads.ask TO desk_projections;
GRANT EXECUTE ON FUNCTION upkeep.expire_reads TO desk_intake, desk_admin;
