-- An event that the service that decides in its stream leaves out, since an administrator had
-- it skipped, is left out by everybody who reads the stream: what the service decided since
-- then does not follow from it. The rights of the owner, since the tables are each service's.
CREATE VIEW log.skipped_by_owner AS
SELECT position, stream FROM sla.skipped
WHERE reader = 'sla_watcher' AND stream LIKE 'sla-%'
UNION
SELECT position, stream FROM escalation.skipped
WHERE reader = 'escalation' AND (stream LIKE 'escalation-%' OR stream LIKE 'handover-%');

GRANT SELECT ON log.skipped_by_owner TO desk_intake, desk_escalation, desk_projections,
    desk_auditor, desk_admin;
