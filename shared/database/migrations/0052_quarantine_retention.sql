-- Bodies in quarantine have a retention. That something was set aside stays, and why.
-- What waits for a record is taken by itself once that can be read: its body is kept.

ALTER TABLE upkeep.retention ADD COLUMN partitioned boolean NOT NULL DEFAULT true;
INSERT INTO upkeep.retention VALUES ('intake.quarantined_bodies', 30, false);

ALTER TABLE intake.quarantine DROP CONSTRAINT quarantine_state_check,
    ADD CONSTRAINT quarantine_state_check
        CHECK (state IN ('waiting', 'released', 'discarded', 'expired'));
ALTER TABLE intake.quarantine_journal DROP CONSTRAINT quarantine_journal_what_check,
    ADD CONSTRAINT quarantine_journal_what_check
        CHECK (what IN ('tried', 'released', 'discarded', 'expired'));
CREATE INDEX quarantine_bodies ON intake.quarantine (digest);

-- Delete the oldest bodies past their retention, not all at once; return how many. As for
-- partitions, the day is PostgreSQL's, or in lever mode no later than the log's last event.
CREATE FUNCTION upkeep.expire_quarantine(today date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    at_once CONSTANT int := 1000;
    keep int; reached date; last timestamptz; expired bigint;
BEGIN
    SELECT days INTO STRICT keep FROM upkeep.retention
    WHERE table_name = 'intake.quarantined_bodies';
    SELECT t.day INTO STRICT reached FROM log.today AS t;
    IF reached IS NULL THEN
        SELECT recorded_at INTO last FROM log.events ORDER BY notification_id DESC LIMIT 1;
        reached := least(today, coalesce((last AT TIME ZONE 'UTC')::date, '-infinity'::date));
    END IF;
    -- Whoever keeps a body that is there already relies on it until its row is committed.
    LOCK TABLE intake.quarantined_bodies IN SHARE ROW EXCLUSIVE MODE;
    WITH old AS (
        UPDATE intake.quarantine SET state = 'expired'
        WHERE state = 'waiting' AND signal_key IS NULL
          AND (received_at AT TIME ZONE 'UTC')::date < reached - keep
        RETURNING quarantine_id
    )
    INSERT INTO intake.quarantine_journal (quarantine_id, at, actor, what, reason)
    SELECT quarantine_id, coalesce(last, clock_timestamp()), 'system:retention', 'expired',
           'its body was deleted after ' || keep || ' days'
    FROM old;
    DELETE FROM intake.quarantined_bodies WHERE digest IN (
        SELECT b.digest FROM intake.quarantined_bodies AS b
        WHERE NOT EXISTS (
            SELECT FROM intake.quarantine AS q
            WHERE q.digest = b.digest
              AND (q.state = 'waiting'
                   OR (q.received_at AT TIME ZONE 'UTC')::date >= reached - keep))
        LIMIT at_once);
    GET DIAGNOSTICS expired = ROW_COUNT;
    RETURN expired;
END $$;

REVOKE ALL ON FUNCTION upkeep.expire_quarantine FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upkeep.expire_quarantine TO desk_intake, desk_admin;
