-- A person may have several reminders of an incident, each with a number. Those that wait
-- are the first ones.

ALTER TABLE intake.reminders ADD COLUMN number int NOT NULL DEFAULT 1;
ALTER TABLE intake.reminders DROP CONSTRAINT reminders_pkey;
ALTER TABLE intake.reminders ADD PRIMARY KEY (incident, person, number);
DROP INDEX intake.reminders_due;
CREATE INDEX reminders_due ON intake.reminders (due_at, incident, person, number);
