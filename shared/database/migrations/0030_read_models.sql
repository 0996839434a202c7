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

-- The service may make and drop generations, and no other schema.
CREATE FUNCTION rm.make_generation(name text, generation int) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    made text := format('rm_%s_v%s', name, generation);
BEGIN
    IF made !~ '^rm_[a-z]{1,40}_v[1-9][0-9]*$' THEN
        RAISE EXCEPTION '% is no name of a generation', made;
    END IF;
    EXECUTE format('CREATE SCHEMA %I', made);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO desk_projections', made);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO desk_auditor, desk_admin', made);
    RETURN made;
END $$;

CREATE FUNCTION rm.drop_generation(generation text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF generation !~ '^rm_[a-z]{1,40}_v[1-9][0-9]*$' THEN
        RAISE EXCEPTION '% is no name of a generation', generation;
    END IF;
    IF EXISTS (SELECT FROM rm.active WHERE schema_name = generation) THEN
        RAISE EXCEPTION '% is live', generation;
    END IF;
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', generation);
END $$;

REVOKE ALL ON FUNCTION rm.make_generation, rm.drop_generation FROM PUBLIC;
GRANT USAGE ON SCHEMA rm TO desk_projections, desk_auditor, desk_admin;
GRANT SELECT ON rm.active TO desk_projections, desk_auditor, desk_admin;
GRANT INSERT, UPDATE, DELETE ON rm.active TO desk_projections;
GRANT EXECUTE ON FUNCTION rm.make_generation, rm.drop_generation TO desk_projections;

-- Finds words inside titles. It comes with every PostgreSQL, but may not be installed.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
    END IF;
END $$;
