-- The files of a mail that was set aside, sealed as its words are, until somebody takes
-- the mail. Apart from the words: those are read for every list.

ALTER TABLE intake.letters ADD COLUMN sealed_files text;
GRANT UPDATE (sealed_files) ON intake.letters TO desk_intake;
CREATE INDEX letters_with_files ON intake.letters (key) WHERE sealed_files IS NOT NULL;
