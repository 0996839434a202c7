-- Whether anything proved who sent a letter: what somebody wrote under another's name counts apart.
ALTER TABLE intake.letters ADD COLUMN sender_confirmed boolean NOT NULL DEFAULT false;
GRANT UPDATE (sender_confirmed) ON intake.letters TO desk_intake;
