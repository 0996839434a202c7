-- Problems and changes: their numbers, and an index each to list them straight from the log.

CREATE SEQUENCE intake.problem_numbers;                 -- gaps are allowed, repeats are not
CREATE SEQUENCE intake.change_numbers;
GRANT USAGE ON SEQUENCE intake.problem_numbers, intake.change_numbers TO desk_intake;

-- A record begins and ends once. They are few beside the events of incidents.
CREATE INDEX records_begun ON log.events (topic, originator_id COLLATE "C")
    WHERE topic IN ('problem.identified', 'change.requested');
CREATE INDEX records_ended ON log.events (originator_id COLLATE "C")
    WHERE topic IN ('problem.resolved', 'change.implemented', 'change.cancelled');
