-- What runs with the owner's rights finds PostgreSQL's catalogues, never a temporary table of
-- its caller by the same name: those are searched first, unless they are named as the last.

ALTER FUNCTION upkeep.turn_partitions(text, date) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION rm.make_generation(text, int) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION rm.drop_generation(text) SET search_path = pg_catalog, pg_temp;
