-- What the policy wants to hear from regularly, and since when it is silent.
-- Beats are no events: a desk that loses this table counts anew.

CREATE TABLE intake.heartbeats (
    name         text PRIMARY KEY,
    policy       int NOT NULL,                          -- the version its instants are reckoned by
    last_beat_at timestamptz,
    beats        bigint NOT NULL DEFAULT 0,
    counts_from  timestamptz,                           -- NULL: not armed, it never beat
    due_at       timestamptz,                           -- silent from then on
    deaf_from    timestamptz,                           -- the desk itself did not listen from
    deaf_until   timestamptz,                           -- … until then, when it counted anew
    silent_since timestamptz,
    owes         text CHECK (owes IN ('silence', 'recovery'))  -- the signal still to be sent
);

-- One row: when some process of ours last listened, by our clock and by that of PostgreSQL,
-- which no lever moves.
CREATE TABLE intake.heartbeat_watch (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    listened_at timestamptz NOT NULL,
    written_at  timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON intake.heartbeats TO desk_intake;
GRANT SELECT, INSERT, UPDATE ON intake.heartbeat_watch TO desk_intake;
GRANT SELECT ON intake.heartbeats, intake.heartbeat_watch TO desk_admin, desk_auditor;
