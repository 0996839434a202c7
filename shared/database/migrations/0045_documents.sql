-- Documents that events name by the hash of their bytes: an applied policy is larger than
-- an event may be. Append-only as the log is, and written in the transaction of the event.

CREATE TABLE log.documents (
    hash bytea   PRIMARY KEY,                           -- SHA-256 of the body
    size integer NOT NULL,
    body bytea   NOT NULL,                              -- UTF-8 JSON
    CONSTRAINT hash_is_of_the_body CHECK (hash = sha256(body)),
    CONSTRAINT size_is_of_the_body CHECK (size = octet_length(body)),
    CONSTRAINT document_is_at_most_16_mb CHECK (octet_length(body) <= 16777216)
);

CREATE FUNCTION log.refuse_document_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'documents of the event log are append-only: % refused; apply a new policy instead', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.documents
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_document_change();

GRANT SELECT ON log.documents TO desk_intake, desk_sla_watcher, desk_escalation,
    desk_projections, desk_auditor, desk_admin;
GRANT INSERT ON log.documents TO desk_admin;
