-- The event log: one table, one total order, append-only by the database itself.
-- Column names are those of the eventsourcing library; the view below has ours.

CREATE SCHEMA log;

CREATE TABLE log.events (
    notification_id    bigint      NOT NULL,            -- position: 1, 2, 3 over the whole log
    originator_id      text        NOT NULL,            -- stream
    originator_version bigint      NOT NULL,            -- version: 1, 2, 3 within the stream
    topic              text        NOT NULL,            -- type
    state              bytea       NOT NULL,            -- UTF-8 JSON, personal fields sealed
    recorded_at        timestamptz NOT NULL,
    command_id         uuid,
    chain              bytea       NOT NULL             -- hash of this event and all before it
                       CHECK (octet_length(chain) = 32),
    PRIMARY KEY (originator_id, originator_version),
    CONSTRAINT event_is_at_most_64_kb CHECK (octet_length(state) <= 65536),
    CONSTRAINT versions_are_counted CHECK (originator_version >= 0)
) WITH (
    autovacuum_vacuum_insert_threshold = 1000000,
    autovacuum_analyze_scale_factor = 0.01
);

CREATE UNIQUE INDEX events_notification_id_idx ON log.events (notification_id);

CREATE VIEW log.readable AS
SELECT notification_id AS position, originator_id AS stream, originator_version AS version,
       topic AS type, recorded_at, command_id, convert_from(state, 'UTF8')::json AS event,
       encode(chain, 'hex') AS chain
FROM log.events;

-- Nobody changes what happened. Row triggers do not see TRUNCATE, so: statement triggers.
CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the event log is append-only: % refused; record a new event instead', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.events
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- A writer that numbers without the append lock, or stamps by a clock that jumped back, is
-- refused here: no gap can be stored, and every instant is a prefix of the log.
CREATE FUNCTION log.refuse_gap() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    low bigint; high bigint; n bigint; earliest timestamptz; latest timestamptz;
    before timestamptz := '-infinity';
BEGIN
    SELECT min(notification_id), max(notification_id), count(*),
           min(recorded_at), max(recorded_at)
    INTO low, high, n, earliest, latest FROM fresh;
    IF n = 0 THEN
        RETURN NULL;
    END IF;
    IF low <> 1 THEN
        SELECT recorded_at INTO before FROM log.events WHERE notification_id = low - 1;
    END IF;
    IF high - low + 1 <> n OR before IS NULL THEN
        RAISE EXCEPTION 'positions % to % leave a gap in the event log', low, high
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF earliest < before OR (earliest <> latest AND EXISTS (
        SELECT FROM (SELECT recorded_at < lag(recorded_at) OVER (ORDER BY notification_id) AS back
                     FROM fresh) AS stamped WHERE back)) THEN
        RAISE EXCEPTION 'positions % to % go back in time, before %', low, high, before
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER gapless AFTER INSERT ON log.events
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_gap();

-- What became of a command, so that a lost answer is not taken for a conflict.
CREATE TABLE log.commands (
    command_id     uuid   NOT NULL,
    day            date   NOT NULL,
    digest         bytea  NOT NULL,                     -- of the command's body
    first_position bigint NOT NULL,
    last_position  bigint NOT NULL,
    PRIMARY KEY (command_id, day)
) PARTITION BY RANGE (day);

CREATE TABLE log.commands_other PARTITION OF log.commands DEFAULT;

-- One writer per stream: who may append to which streams.
ALTER TABLE log.events ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_read ON log.events FOR SELECT USING (true);
CREATE POLICY intake_writes ON log.events FOR INSERT TO desk_intake
    WITH CHECK (split_part(originator_id, '-', 1) IN
                ('incident', 'problem', 'change', 'survey', 'person'));
CREATE POLICY sla_watcher_writes ON log.events FOR INSERT TO desk_sla_watcher
    WITH CHECK (split_part(originator_id, '-', 1) = 'sla');
CREATE POLICY escalation_writes ON log.events FOR INSERT TO desk_escalation
    WITH CHECK (split_part(originator_id, '-', 1) IN ('escalation', 'handover'));
CREATE POLICY admin_writes ON log.events FOR INSERT TO desk_admin
    WITH CHECK (originator_id = 'policy-desk');

GRANT USAGE ON SCHEMA log TO desk_intake, desk_sla_watcher, desk_escalation,
    desk_projections, desk_auditor, desk_admin;
GRANT SELECT ON log.events, log.readable TO desk_intake, desk_sla_watcher, desk_escalation,
    desk_projections, desk_auditor, desk_admin;
GRANT INSERT ON log.events TO desk_intake, desk_sla_watcher, desk_escalation, desk_admin;
GRANT SELECT, INSERT ON log.commands TO desk_intake, desk_sla_watcher, desk_escalation, desk_admin;
