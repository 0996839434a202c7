-- Each service proves that its events would be recorded; only intake could take room on the disk.

-- A new table takes new blocks (about 1 MB); rows might fit into old ones.
CREATE FUNCTION log.take_room() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ CREATE TEMPORARY TABLE room ON COMMIT DROP AS SELECT generate_series(1, 30000) $$;

REVOKE EXECUTE ON FUNCTION log.take_room() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.take_room()
    TO desk_intake, desk_sla_watcher, desk_escalation, desk_projections;
