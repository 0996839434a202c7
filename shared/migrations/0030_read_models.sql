-- Read models lie in schemas of their own, rm_<name>_v<generation>, which the projections
-- service makes, fills and drops by itself. Here: which generation is the live one.

CREATE SCHEMA rm;

CREATE TABLE rm.active (
    name            text PRIMARY KEY,                   -- of the read model: queue, timeline
    schema_name     text NOT NULL,                      -- read anew for every request
    shape           int  NOT NULL,                      -- of its tables, as the program knows them
    previous_schema text,                               -- kept for `permanence rebuild --rollback`
    previous_shape  int,
    flipped_at      timestamptz NOT NULL
);

GRANT USAGE ON SCHEMA rm TO desk_projections, desk_auditor, desk_admin;
GRANT SELECT ON rm.active TO desk_projections, desk_auditor, desk_admin;
GRANT INSERT, UPDATE, DELETE ON rm.active TO desk_projections;

DO $$ BEGIN
    EXECUTE format('GRANT CREATE ON DATABASE %I TO desk_projections', current_database());
    -- Finds words inside titles. It comes with every PostgreSQL, but may not be installed.
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
    END IF;
END $$;
