-- What an open problem has in common with an incident that breaks its promise later.

ALTER TABLE escalation.problem_incidents
    ADD COLUMN linked_by   bigint NOT NULL DEFAULT 0,   -- position in the log
    ADD COLUMN unlinked_by bigint,
    ADD COLUMN signature   bytea,                       -- of the incident; NULL: it has none
    ADD COLUMN signed      boolean NOT NULL DEFAULT false; -- whether that was looked up

CREATE INDEX problem_incidents_alike ON escalation.problem_incidents (signature)
    WHERE signature IS NOT NULL;
CREATE INDEX problem_incidents_unsigned ON escalation.problem_incidents (problem)
    WHERE NOT signed;
