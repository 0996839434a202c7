-- Leases: who does what only one process may do at a time. A holder renews its lease every
-- second; one that is frozen, or whose machine vanished, loses it within seconds.
--
-- `fence` grows whenever the lease changes hands. A holder's transactions read their own
-- number FOR KEY SHARE: because `fence` is part of a unique index, changing it waits for
-- them and they wait for it, while renewing, which leaves it alone, waits for nobody.
-- Each service has a table of its own, which no other role may change.

CREATE TABLE intake.leases (
    name       text PRIMARY KEY,
    fence      bigint NOT NULL DEFAULT 0 CHECK (fence >= 0),
    holder     text NOT NULL DEFAULT '',                -- host:process/instance
    renewed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (name, fence)
);
INSERT INTO intake.leases (name) VALUES ('relay'), ('mailboxes');

CREATE TABLE escalation.leases (LIKE intake.leases INCLUDING ALL);
INSERT INTO escalation.leases (name) VALUES ('outbox');

GRANT SELECT, UPDATE (fence, holder, renewed_at, expires_at) ON intake.leases
    TO desk_intake;
GRANT SELECT, UPDATE (fence, holder, renewed_at, expires_at) ON escalation.leases
    TO desk_escalation;
GRANT SELECT ON intake.leases, escalation.leases TO desk_auditor, desk_admin;
