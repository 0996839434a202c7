-- Escalations that nobody accepted, which operators are alarmed of: few rows, counted
-- each time the metrics are read.
CREATE INDEX cases_exhausted ON escalation.cases (incident)
WHERE state->'post'->>'exhausted_at' IS NOT NULL
  AND state->'post'->>'accepted_by' IS NULL
  AND state->>'stage' = 'at_work' AND state->>'restored_at' IS NULL;
