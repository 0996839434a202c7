-- The invitations of contacts of clients in a period, and their answers.
CREATE INDEX contacts_answered ON log.events (recorded_at, notification_id)
    WHERE topic IN ('survey.contact_invited', 'survey.contact_answered');
