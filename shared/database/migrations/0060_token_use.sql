-- When a person's token was last used, to a minute. Those of sources are in
-- intake.source_keys. Who calls is checked by every service, so each notes it.
CREATE TABLE access.token_use (
    token_id text PRIMARY KEY REFERENCES access.tokens,
    last_used timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON access.token_use
TO desk_intake, desk_projections, desk_sla_watcher, desk_escalation;
GRANT SELECT ON access.token_use TO desk_admin;
