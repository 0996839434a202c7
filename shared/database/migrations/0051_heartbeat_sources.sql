-- A heartbeat of which the policy names no source belongs to the one that beat it first.

ALTER TABLE intake.heartbeats ADD COLUMN source text;   -- NULL: nobody beat it yet
