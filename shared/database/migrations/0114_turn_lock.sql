-- Who pages by turns does so alone until the transaction ends: two escalations at one instant
-- have different turns. LOCK TABLE wants a right on the table, and there is nothing to delete.
CREATE TABLE escalation.turn_lock ();
GRANT DELETE ON escalation.turn_lock TO desk_escalation;
