-- Keys of sources are made over the API, too. Who made a token; null: somebody on the
-- command line.
ALTER TABLE access.tokens ADD COLUMN given_by text;

-- Intake makes keys of sources for administrators, and no other tokens: with INSERT its
-- role could make one of any person, with every right.
CREATE FUNCTION access.create_source_key(
    token text, token_hash bytea, source text, note text, at timestamptz, by text
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO access.tokens (token_id, hash, actor, scopes, label, created_at, given_by)
    VALUES (token, token_hash, 'source:' || source, '{source}', note, at, by)
    ON CONFLICT (token_id) DO NOTHING;
    RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION access.create_source_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION access.create_source_key TO desk_intake;
