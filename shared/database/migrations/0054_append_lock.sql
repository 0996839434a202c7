-- The lock that orders all appends is one that a role which only reads cannot take: an
-- advisory lock is anybody's, and whoever holds it stops all writing. LOCK TABLE wants a
-- right on the table. DELETE is one, and there is nothing to delete.

CREATE TABLE log.append_lock ();
GRANT DELETE ON log.append_lock TO desk_intake, desk_sla_watcher, desk_escalation, desk_admin;
