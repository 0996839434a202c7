-- Which workarounds each problem has, so that who is linked to it later hears of the newest.

CREATE TABLE escalation.workarounds (
    problem  text NOT NULL,
    version  bigint NOT NULL,                           -- in the stream of the problem
    position bigint NOT NULL,                           -- in the log
    PRIMARY KEY (problem, version)
);

INSERT INTO escalation.workarounds (problem, version, position)
SELECT problem, originator_version, notification_id
FROM escalation.problems
JOIN log.events ON originator_id = 'problem-' || problem
WHERE topic = 'problem.workaround_published';

GRANT SELECT, INSERT ON escalation.workarounds TO desk_escalation;
GRANT SELECT ON escalation.workarounds TO desk_auditor, desk_admin;
