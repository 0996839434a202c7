-- Views of the queue that people saved: preferences, not history. They can be changed and
-- deleted, so they are not in the log (decision 51).

CREATE SCHEMA desk;

CREATE TABLE desk.views (
    view_id    text PRIMARY KEY CHECK (view_id ~ '^[A-Za-z0-9_-]{11,32}$'),
    owner      text,                                    -- a person's id; NULL once forgotten
    name       text NOT NULL,
    audience   text NOT NULL CHECK (audience IN ('private', 'team', 'everybody')),
    team       text,                                    -- whom it is shared with
    queue      text NOT NULL,
    filter     text NOT NULL,                           -- an expression; '' for none
    sort       text,                                    -- NULL: the order of the policy
    columns    text[] NOT NULL,
    version    integer NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK ((team IS NOT NULL) = (audience = 'team')),
    CHECK (owner IS NOT NULL OR audience <> 'private')
);
CREATE UNIQUE INDEX views_by_name ON desk.views (owner, lower(name));
CREATE INDEX views_shared ON desk.views (audience, team) WHERE audience <> 'private';

GRANT USAGE ON SCHEMA desk TO desk_projections, desk_admin;
GRANT SELECT, INSERT, UPDATE, DELETE ON desk.views TO desk_projections;
GRANT SELECT ON desk.views TO desk_admin;

-- Nobody else can open the private views of a person who left; what they shared stays, without
-- their id. Called by what removes a person.
CREATE FUNCTION desk.drop_views_of(person text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM desk.views WHERE owner = person AND audience = 'private';
    UPDATE desk.views SET owner = NULL, version = version + 1 WHERE owner = person;
END $$;
REVOKE ALL ON FUNCTION desk.drop_views_of FROM PUBLIC;
GRANT USAGE ON SCHEMA desk TO desk_intake;
GRANT EXECUTE ON FUNCTION desk.drop_views_of TO desk_intake, desk_admin;

-- A person is forgotten by destroying their key.
CREATE FUNCTION desk.forget_views() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.owner LIKE 'person:%' THEN
        PERFORM desk.drop_views_of(substr(NEW.owner, 8));
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION desk.forget_views FROM PUBLIC;
CREATE TRIGGER views_are_forgotten AFTER UPDATE OF destroyed_at ON vault.keys
    FOR EACH ROW WHEN (NEW.destroyed_at IS NOT NULL AND OLD.destroyed_at IS NULL)
    EXECUTE FUNCTION desk.forget_views();
