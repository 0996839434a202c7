-- A reply to a page, by which somebody takes the incident, is no contact about it.
ALTER TABLE intake.letters DROP CONSTRAINT letters_verdict_check;
ALTER TABLE intake.letters ADD CONSTRAINT letters_verdict_check CHECK (
    verdict IN ('opened', 'attached', 'automatic', 'held', 'unreadable', 'answered'));
