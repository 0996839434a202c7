-- Epochs of the log: a new one begins when a copy is restored or a standby is promoted.
-- A position names an event only together with its epoch or its chain hash.

CREATE TABLE log.epochs (
    number            int    PRIMARY KEY CHECK (number > 0),
    token             text   NOT NULL CHECK (token ~ '^[0-9a-f]*$'),
    begins_after      bigint NOT NULL,                  -- position of the last event before it
    chain             bytea  NOT NULL CHECK (octet_length(chain) = 32),
    cause             text   NOT NULL CHECK (cause IN ('first', 'restore', 'promotion')),
    reason            text   NOT NULL,
    begun_by          text   NOT NULL,
    begun_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    system_identifier text   NOT NULL,                  -- of the PostgreSQL cluster
    timeline          int    NOT NULL,
    database_oid      bigint NOT NULL,
    CONSTRAINT only_the_first_has_no_token CHECK ((cause = 'first') = (token = '')),
    CONSTRAINT the_first_is_number_one CHECK ((cause = 'first') = (number = 1))
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.epochs
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- An epoch begins after an event of this very log, and after every epoch before it.
CREATE FUNCTION log.refuse_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number <= (SELECT max(number) FROM log.epochs)
       OR NEW.begins_after < (SELECT max(begins_after) FROM log.epochs)
       OR NEW.begins_after <> (SELECT coalesce(max(notification_id), 0) FROM log.events)
       OR (NEW.begins_after > 0 AND NEW.chain <> (
           SELECT chain FROM log.events WHERE notification_id = NEW.begins_after)) THEN
        RAISE EXCEPTION 'epoch % does not begin at the end of this log', NEW.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

-- Which server and timeline this is, and the highest reference numbers given out.
-- It runs with the owner's rights: some of these functions may be withheld from others.
CREATE FUNCTION log.identity(
    OUT system_identifier text, OUT timeline int, OUT database_oid bigint,
    OUT incidents bigint, OUT problems bigint, OUT changes bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT d.oid INTO database_oid FROM pg_database d WHERE d.datname = current_database();
    incidents := coalesce(pg_sequence_last_value('intake.incident_numbers'::regclass), 0);
    problems := coalesce(pg_sequence_last_value('intake.problem_numbers'::regclass), 0);
    changes := coalesce(pg_sequence_last_value('intake.change_numbers'::regclass), 0);
    BEGIN
        SELECT c.system_identifier::text INTO system_identifier FROM pg_control_system() c;
        IF pg_is_in_recovery() THEN
            SELECT c.timeline_id INTO timeline FROM pg_control_checkpoint() c;
        ELSE
            -- The checkpoint lags behind a promotion; the end of the log does not.
            timeline := ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int;
        END IF;
    EXCEPTION WHEN insufficient_privilege THEN
        system_identifier := ''; timeline := 0;         -- a promotion is then not noticed
    END;
END $$;
REVOKE ALL ON FUNCTION log.identity() FROM PUBLIC;

INSERT INTO log.epochs (number, token, begins_after, chain, cause, reason, begun_by,
                        system_identifier, timeline, database_oid)
SELECT 1, '', 0, decode(repeat('00', 32), 'hex'), 'first', 'the log began', 'system:migrate',
       system_identifier, timeline, database_oid
FROM log.identity();

CREATE TRIGGER in_order BEFORE INSERT ON log.epochs
    FOR EACH ROW EXECUTE FUNCTION log.refuse_epoch();

-- The admin renews after a restore; intake, whose relay notices it, after a promotion.
ALTER TABLE log.epochs ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_read ON log.epochs FOR SELECT USING (true);
CREATE POLICY admin_renews ON log.epochs FOR INSERT TO desk_admin
    WITH CHECK (cause IN ('restore', 'promotion'));
CREATE POLICY intake_renews ON log.epochs FOR INSERT TO desk_intake
    WITH CHECK (cause = 'promotion');
CREATE POLICY admin_restores ON log.events FOR INSERT TO desk_admin
    WITH CHECK (originator_id = 'log-desk' AND topic = 'log.restored');
CREATE POLICY intake_promotes ON log.events FOR INSERT TO desk_intake
    WITH CHECK (originator_id = 'log-desk' AND topic = 'log.restored'
                AND convert_from(state, 'UTF8')::json ->> 'cause' = 'promotion');

GRANT EXECUTE ON FUNCTION log.identity() TO desk_intake, desk_sla_watcher, desk_escalation,
    desk_projections, desk_auditor, desk_admin;
GRANT SELECT ON log.epochs TO desk_intake, desk_sla_watcher, desk_escalation,
    desk_projections, desk_auditor, desk_admin;
GRANT INSERT ON log.epochs TO desk_intake, desk_admin;
GRANT USAGE ON SCHEMA intake TO desk_admin;
GRANT UPDATE ON SEQUENCE intake.incident_numbers, intake.problem_numbers, intake.change_numbers
    TO desk_admin;
