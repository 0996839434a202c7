-- A forgotten entry of the directory is gone from its files, as a destroyed key is, and
-- from PostgreSQL's own notes about them.

-- ANALYZE kept names, addresses and numbers as samples. The statements about the types
-- drop those it has.
ALTER TABLE directory.people
    ALTER COLUMN name TYPE text, ALTER COLUMN email TYPE text, ALTER COLUMN phone TYPE text;
ALTER TABLE directory.people
    ALTER COLUMN name SET STATISTICS 0, ALTER COLUMN email SET STATISTICS 0,
    ALTER COLUMN phone SET STATISTICS 0;
ALTER TABLE directory.contact_methods ALTER COLUMN value TYPE text;
ALTER TABLE directory.contact_methods ALTER COLUMN value SET STATISTICS 0;
DROP INDEX directory.people_by_email;
CREATE INDEX people_by_email ON directory.people (lower(email)) WHERE email IS NOT NULL;
ALTER INDEX directory.people_by_email ALTER COLUMN 1 SET STATISTICS 0;
ALTER INDEX directory.people_by_words ALTER COLUMN 1 SET STATISTICS 0;

-- `permanence vault forget` rewrites the tables, since UPDATE and DELETE leave the row
-- before them behind.
DO $$ BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN
        GRANT MAINTAIN ON directory.people, directory.contact_methods TO desk_admin;
    END IF;
END $$;
