-- The content of attached files, encrypted: beside the log, which names it by its digest.
-- Rows are added and deleted, never changed: nobody has the right to.

CREATE TABLE intake.attachments (
    attachment uuid PRIMARY KEY,
    incident   text NOT NULL,
    key_id     text NOT NULL,                           -- the owner's key, which seals the next
    sealed_key text NOT NULL,                           -- the key of this content
    sha256     bytea NOT NULL,
    size       bigint NOT NULL CHECK (size = octet_length(body)),
    stored_at  timestamptz NOT NULL,
    body       bytea NOT NULL CHECK (sha256(body) = sha256)
);
ALTER TABLE intake.attachments ALTER COLUMN body SET STORAGE EXTERNAL; -- ciphertext cannot be compressed
CREATE INDEX attachments_by_time ON intake.attachments (stored_at) INCLUDE (size);
CREATE INDEX attachments_by_key ON intake.attachments (key_id);

-- Files that no scanner has seen, with the next attempt.
CREATE TABLE intake.attachment_scans (
    attachment uuid PRIMARY KEY REFERENCES intake.attachments ON DELETE CASCADE,
    attempts   int NOT NULL DEFAULT 0,
    due_at     timestamptz NOT NULL
);
CREATE INDEX attachment_scans_due ON intake.attachment_scans (due_at);

GRANT SELECT, INSERT, DELETE ON intake.attachments TO desk_intake;
GRANT SELECT, INSERT, UPDATE, DELETE ON intake.attachment_scans TO desk_intake;
GRANT SELECT ON intake.attachments TO desk_projections, desk_auditor, desk_admin;
GRANT DELETE ON intake.attachments TO desk_admin;
GRANT SELECT ON intake.attachment_scans TO desk_auditor, desk_admin;
