-- The invitations and answers of a period, from which the results of surveys are computed.
CREATE INDEX surveys_answered ON log.events (recorded_at, notification_id)
    WHERE topic IN ('survey.invited', 'survey.answered');
