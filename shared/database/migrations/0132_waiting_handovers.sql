-- Hand-overs that wait are proposed to a problem of their signature that opens later.

-- Incidents that broke their TTR and are linked to no problem, made anew from the log.
CREATE TABLE escalation.waiting_handovers (
    incident  text PRIMARY KEY,
    signature bytea,                                    -- NULL: it has none
    signed    boolean NOT NULL DEFAULT false            -- whether that was looked up
);
CREATE INDEX waiting_handovers_alike ON escalation.waiting_handovers (signature)
    WHERE signature IS NOT NULL;
CREATE INDEX waiting_handovers_unsigned ON escalation.waiting_handovers (incident)
    WHERE NOT signed;
CREATE INDEX problem_incidents_linked ON escalation.problem_incidents (incident)
    WHERE unlinked_by IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.waiting_handovers TO desk_escalation;
GRANT SELECT ON escalation.waiting_handovers TO desk_auditor, desk_admin;

-- Those that wait when this is applied.
INSERT INTO escalation.waiting_handovers (incident)
SELECT incident FROM escalation.cases
WHERE state #>> '{handover,state}' IN ('requested', 'unanswered')
    OR state #>> '{handover,to_be_confirmed}' = 'true';
