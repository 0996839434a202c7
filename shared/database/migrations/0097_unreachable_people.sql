-- People whose managers were alarmed are kept when that is decided, before it has a position.
ALTER TABLE escalation.unreachable_people DROP COLUMN position;
