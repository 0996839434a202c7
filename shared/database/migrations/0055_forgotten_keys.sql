-- A destroyed key is gone from the table, and from PostgreSQL's own notes about it.

-- ANALYZE kept wrapped keys as samples. The statement about the type drops those it has.
ALTER TABLE vault.keys ALTER COLUMN wrapped TYPE bytea;
ALTER TABLE vault.keys ALTER COLUMN wrapped SET STATISTICS 0;

-- `permanence vault forget` rewrites the table, since UPDATE leaves the row before it behind.
DO $$ BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN
        GRANT MAINTAIN ON vault.keys TO desk_admin;
    END IF;
END $$;
