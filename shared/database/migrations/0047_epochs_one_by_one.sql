-- A promotion is noticed only in the newest epoch, so the one that it begins has the next
-- number. Otherwise who holds intake's password could use up all numbers with one row.
-- After a restore numbers may be left out: the copy lacks epochs that were begun since,
-- and `permanence restored` begins one above the highest that NATS has seen.

CREATE OR REPLACE FUNCTION log.refuse_epoch() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    newest int;
BEGIN
    SELECT max(number) INTO newest FROM log.epochs;
    IF NEW.number <= newest
       OR NEW.begins_after < (SELECT max(begins_after) FROM log.epochs)
       OR NEW.begins_after <> (SELECT coalesce(max(notification_id), 0) FROM log.events)
       OR (NEW.begins_after > 0 AND NEW.chain <> (
           SELECT chain FROM log.events WHERE notification_id = NEW.begins_after)) THEN
        RAISE EXCEPTION 'epoch % does not begin at the end of this log', NEW.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.cause = 'promotion' AND NEW.number <> newest + 1 THEN
        RAISE EXCEPTION 'epoch % does not follow epoch %', NEW.number, newest
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
