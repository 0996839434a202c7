-- Tests of people's pages: intake records who asked and who answered, escalation what it sent.
CREATE POLICY intake_records_page_tests ON log.events FOR INSERT TO desk_intake WITH CHECK (
    split_part(originator_id, '-', 1) = 'page_tests'
    AND topic IN ('page_test.requested', 'page_test.answered'));
CREATE POLICY escalation_records_page_tests ON log.events FOR INSERT TO desk_escalation WITH CHECK (
    split_part(originator_id, '-', 1) = 'page_test_messages'
    AND topic IN ('page_test.planned', 'page_test.sent', 'page_test.confirmed',
                  'page_test.delivered', 'page_test.failed'));

-- Tests whose messages are not planned yet; follows from the log. A row stays for a while
-- after it is planned, so that an event that is read again plans nothing.
CREATE TABLE escalation.page_tests (
    test         text PRIMARY KEY,
    person       text NOT NULL,
    position     bigint NOT NULL,                       -- of the request in the log
    requested_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    is_open      boolean NOT NULL DEFAULT true          -- not planned, nor answered
);
CREATE INDEX page_tests_open ON escalation.page_tests (requested_at, test) WHERE is_open;

-- The messages of tests; follows from the log, as the outbox does.
CREATE TABLE escalation.page_test_messages (
    key          text PRIMARY KEY,
    test         text NOT NULL,
    person       text NOT NULL,
    method       text NOT NULL,
    channel      text NOT NULL,
    position     bigint NOT NULL,                       -- of the plan in the log
    requested_at timestamptz NOT NULL,                  -- of the test
    expires_at   timestamptz NOT NULL,
    next_at      timestamptz,                           -- null: over
    attempts     int NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE INDEX page_test_messages_due ON escalation.page_test_messages (next_at, key)
    WHERE next_at IS NOT NULL;
CREATE INDEX page_test_messages_of_test ON escalation.page_test_messages (test);

GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.page_tests, escalation.page_test_messages
    TO desk_escalation;
GRANT SELECT ON escalation.page_tests, escalation.page_test_messages TO desk_auditor, desk_admin;
