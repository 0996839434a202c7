-- Invitations: links that are mailed to people who were given a role. And what an access
-- review may end.

ALTER TABLE access.sign_in_links DROP CONSTRAINT sign_in_links_method_check;
ALTER TABLE access.sign_in_links ADD CONSTRAINT sign_in_links_method_check CHECK (
    method IN ('link', 'mail', 'invitation', 'break_glass'));
ALTER TABLE access.sessions DROP CONSTRAINT sessions_method_check;
ALTER TABLE access.sessions ADD CONSTRAINT sessions_method_check CHECK (
    method IN ('token', 'link', 'mail', 'invitation', 'provider', 'break_glass'));

ALTER TABLE access.sign_in_mail ADD COLUMN person text;  -- who was invited
ALTER TABLE access.sign_in_mail DROP CONSTRAINT sign_in_mail_kind_check;
ALTER TABLE access.sign_in_mail ADD CONSTRAINT sign_in_mail_kind_check CHECK (
    kind IN ('link', 'invitation', 'break_glass'));
ALTER TABLE access.sign_in_mail ADD CHECK ((kind = 'invitation') = (person IS NOT NULL));

GRANT INSERT, SELECT (request_id) ON access.sign_in_mail TO desk_intake;
GRANT INSERT ON access.sign_in_links TO desk_intake;
GRANT UPDATE (revoked_at) ON access.sign_in_links TO desk_projections;

-- The API revokes tokens for administrators. Its role may do nothing else to a token:
-- with UPDATE it could make a revoked one valid again.
CREATE FUNCTION access.revoke_token(token text, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE access.tokens SET revoked_at = at
    WHERE token_id = token AND revoked_at IS NULL;
    RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION access.revoke_token FROM PUBLIC;
GRANT EXECUTE ON FUNCTION access.revoke_token TO desk_projections;
