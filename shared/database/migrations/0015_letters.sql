-- What people wrote to the desk, and what became of it: outside the log, as the directory.

CREATE TABLE intake.letters (
    letter_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         uuid NOT NULL UNIQUE,                   -- of sender and Message-ID, else of the bytes
    source      text NOT NULL,                          -- the mailbox; who posted it; the form
    received_at timestamptz NOT NULL,
    verdict     text NOT NULL CHECK (
        verdict IN ('opened', 'attached', 'automatic', 'held', 'unreadable')),
    reason      text,
    incident    text,
    person      text,
    owner       text NOT NULL,                          -- whose key seals it
    sealed      text NOT NULL                           -- who wrote, subject, number, words
);
CREATE INDEX letters_of_person ON intake.letters (person, received_at) WHERE person IS NOT NULL;
CREATE INDEX letters_by_verdict ON intake.letters (verdict, letter_id);
CREATE INDEX letters_of_incident ON intake.letters (incident) WHERE incident IS NOT NULL;

-- How far each mailbox was read. The number of a mail is good for one validity only.
CREATE TABLE intake.mailboxes (
    source   text PRIMARY KEY,
    validity bigint NOT NULL,
    uid      bigint NOT NULL
);

GRANT SELECT, INSERT ON intake.letters TO desk_intake;
GRANT SELECT, INSERT, UPDATE ON intake.mailboxes TO desk_intake;
GRANT USAGE ON SCHEMA intake TO desk_projections;
GRANT SELECT ON intake.letters TO desk_projections, desk_auditor, desk_admin;
GRANT SELECT ON intake.mailboxes TO desk_auditor, desk_admin;
