-- What each source did lately, and when each of its keys was last used. Counted in memory
-- and written every few seconds: a process that is killed loses what it had not written.

CREATE TABLE intake.source_activity (
    source       text NOT NULL,
    slot         timestamptz NOT NULL,                  -- the five minutes that begin then
    day          date NOT NULL,                         -- of the slot, in UTC
    accepted     bigint NOT NULL DEFAULT 0,             -- elements: opened, signalled, recovered, …
    duplicates   bigint NOT NULL DEFAULT 0,             -- elements
    rejected     bigint NOT NULL DEFAULT 0,             -- elements
    quarantined  bigint NOT NULL DEFAULT 0,             -- elements
    refused      bigint NOT NULL DEFAULT 0,             -- requests: above a limit, or from elsewhere
    unauthorised bigint NOT NULL DEFAULT 0,             -- requests: signed wrongly or not at all
    PRIMARY KEY (source, slot, day)
) PARTITION BY RANGE (day);
CREATE TABLE intake.source_activity_other PARTITION OF intake.source_activity DEFAULT;
INSERT INTO upkeep.retention VALUES ('intake.source_activity', 7);

CREATE TABLE intake.source_keys (
    source    text NOT NULL,
    key_id    text NOT NULL,                            -- of access.tokens; `policy`; `nats`
    last_used timestamptz NOT NULL,
    PRIMARY KEY (source, key_id)
);

GRANT SELECT, INSERT, UPDATE ON intake.source_activity, intake.source_keys TO desk_intake;
GRANT SELECT ON intake.source_activity, intake.source_keys TO desk_admin, desk_auditor;
