-- Solution notes, listed straight from the log: the newest first, and those of an incident.

CREATE INDEX solutions_noted ON log.events (notification_id)
    WHERE topic = 'incident.solution_noted';
CREATE INDEX solutions_of_incident ON log.events (originator_id COLLATE "C", notification_id)
    WHERE topic = 'incident.solution_noted';
