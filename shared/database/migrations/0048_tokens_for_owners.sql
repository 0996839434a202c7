-- The owner of a stream verifies the credential that a command carries.
GRANT USAGE ON SCHEMA access TO desk_sla_watcher, desk_escalation;
GRANT SELECT ON access.tokens TO desk_sla_watcher, desk_escalation;
