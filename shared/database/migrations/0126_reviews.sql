-- Reviews after incidents: streams of their own, which intake writes.
CREATE POLICY intake_reviews ON log.events FOR INSERT TO desk_intake WITH CHECK (
    originator_id LIKE 'review-INC-%' AND topic LIKE 'review.%');

-- Lists of reviews and of their actions, and what is overdue.
CREATE INDEX reviews ON log.events (originator_id COLLATE "C", originator_version)
    WHERE topic IN ('review.opened', 'review.published', 'review.action_opened',
                    'review.action_assigned', 'review.action_done', 'review.action_dropped');

-- Mail to the owners of surveys was the first of its kind: the owners of reviews get the
-- same, about the incident. Rows stay as they are, so that nobody is told twice.
ALTER TABLE escalation.survey_owner_mail RENAME TO owner_mail;
ALTER INDEX escalation.survey_owner_mail_due RENAME TO owner_mail_due;
ALTER TABLE escalation.owner_mail RENAME COLUMN survey TO subject;
ALTER TABLE escalation.owner_mail ALTER COLUMN start DROP NOT NULL;
ALTER TABLE escalation.owner_mail ADD COLUMN about text NOT NULL DEFAULT 'survey'
    CHECK (about IN ('survey', 'review'));
