-- Keys of personal data, outside the log: destroying one makes its owner's words unreadable
-- for ever, and the chain stays whole, since it hashes ciphertext.

CREATE SCHEMA vault;

CREATE TABLE vault.keys (
    key_id       text PRIMARY KEY CHECK (key_id ~ '^[0-9a-f]{16}$'),
    owner        text NOT NULL,                         -- person:<id>, source:<id>, system:vault
    wrapped      bytea,                                 -- under the master key; NULL once destroyed
    created_at   timestamptz NOT NULL,
    destroyed_at timestamptz,
    destroyed_because text,
    CONSTRAINT destroyed_means_gone CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE UNIQUE INDEX one_living_key_per_owner ON vault.keys (owner) WHERE destroyed_at IS NULL;

GRANT USAGE ON SCHEMA vault TO desk_intake, desk_escalation, desk_projections, desk_admin;
GRANT SELECT ON vault.keys TO desk_intake, desk_escalation, desk_projections, desk_admin;
GRANT INSERT ON vault.keys TO desk_intake, desk_escalation, desk_admin;
GRANT UPDATE (wrapped, destroyed_at, destroyed_because) ON vault.keys TO desk_admin;
