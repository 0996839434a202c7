-- Answers to anonymous surveys that wait until there are enough: a row for each survey,
-- encrypted as a whole and written again with each answer. No row is about one answer.
CREATE TABLE intake.anonymous_answers (
    survey text PRIMARY KEY,
    sealed text NOT NULL
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE, DELETE ON intake.anonymous_answers TO desk_intake;
GRANT SELECT ON intake.anonymous_answers TO desk_auditor, desk_admin;

-- Which invitations to anonymous surveys were answered: not when, and not how. All rows of
-- a survey are written again in the order of their names whenever answers are appended.
CREATE TABLE intake.used_invitations (
    invitation text PRIMARY KEY,
    survey     text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX used_invitations_of ON intake.used_invitations (survey);
GRANT SELECT, INSERT, DELETE ON intake.used_invitations TO desk_intake;
GRANT SELECT ON intake.used_invitations
    TO desk_escalation, desk_projections, desk_auditor, desk_admin;
GRANT USAGE ON SCHEMA intake TO desk_escalation;

-- The anonymous answers of a period, from which results are computed.
CREATE INDEX answers_released ON log.events (recorded_at, notification_id)
    WHERE topic = 'survey.answer_released';
