-- Links by which calendars subscribe to shifts. They are credentials: only a hash is kept, and a
-- link that was revoked is deleted (decision 68).
CREATE TABLE desk.calendar_feeds (
    feed_id    text PRIMARY KEY CHECK (feed_id ~ '^[0-9a-f]{12}$'),
    hash       bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
    person     text NOT NULL,
    schedule   text,                                    -- NULL: the shifts of the person
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX calendar_feeds_once ON desk.calendar_feeds (person, coalesce(schedule, ''));
GRANT SELECT, INSERT, UPDATE, DELETE ON desk.calendar_feeds TO desk_projections;
GRANT SELECT (feed_id, person, schedule, created_at) ON desk.calendar_feeds TO desk_admin;
GRANT DELETE ON desk.calendar_feeds TO desk_admin;        -- after a restore, all of them

-- Called by what removes a person, and when one is forgotten: their links end, too.
CREATE OR REPLACE FUNCTION desk.drop_views_of(person text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM desk.views WHERE owner = drop_views_of.person AND audience = 'private';
    UPDATE desk.views SET owner = NULL, version = version + 1
        WHERE owner = drop_views_of.person;
    DELETE FROM desk.calendar_feeds AS feed WHERE feed.person = drop_views_of.person;
END $$;
