-- Readings of people from an outside directory, numbered before they begin: what was read
-- earlier is not carried out after what was read later.
CREATE TABLE intake.people_readings (
    is_only     boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    begun       bigint NOT NULL DEFAULT 0,
    carried_out bigint NOT NULL DEFAULT 0,
    CHECK (carried_out <= begun)
);
INSERT INTO intake.people_readings DEFAULT VALUES;
GRANT SELECT, UPDATE ON intake.people_readings TO desk_intake;

-- Which of a person's credentials ended with a removal follows from the order in which the
-- database wrote them, not from the clocks of those who wrote: each credential notes the
-- newest removal of its person, by its version in the person's stream.
ALTER TABLE access.removed_people ADD COLUMN removal bigint NOT NULL DEFAULT 1;
UPDATE access.removed_people SET removal = coalesce((
    SELECT max(originator_version) FROM log.events
    WHERE originator_id = 'person-' || person AND topic = 'person.removed'), 1);

ALTER TABLE access.tokens ADD COLUMN after_removal bigint NOT NULL DEFAULT 0;
ALTER TABLE access.sessions ADD COLUMN after_removal bigint NOT NULL DEFAULT 0;
ALTER TABLE access.sign_in_links ADD COLUMN after_removal bigint NOT NULL DEFAULT 0;
UPDATE access.tokens SET after_removal = removal FROM access.removed_people
    WHERE actor = 'person:' || person AND created_at > removed_at;
UPDATE access.sessions SET after_removal = removal FROM access.removed_people
    WHERE actor = 'person:' || person AND created_at > removed_at;
UPDATE access.sign_in_links SET after_removal = removal FROM access.removed_people
    WHERE actor = 'person:' || person AND created_at > removed_at;

CREATE FUNCTION access.note_removal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.after_removal := coalesce((
        SELECT removal FROM access.removed_people
        WHERE person = substr(NEW.actor, 8) AND starts_with(NEW.actor, 'person:')), 0);
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION access.note_removal FROM PUBLIC;
CREATE TRIGGER note_removal BEFORE INSERT ON access.tokens
    FOR EACH ROW EXECUTE FUNCTION access.note_removal();
CREATE TRIGGER note_removal BEFORE INSERT ON access.sessions
    FOR EACH ROW EXECUTE FUNCTION access.note_removal();
CREATE TRIGGER note_removal BEFORE INSERT ON access.sign_in_links
    FOR EACH ROW EXECUTE FUNCTION access.note_removal();

-- Reminders of somebody who was removed end, also if they have returned by then: which of
-- them were there before follows from the order of the log.
ALTER TABLE intake.reminders ADD COLUMN has_left boolean NOT NULL DEFAULT false;
UPDATE intake.reminders SET has_left = true FROM access.removed_people AS gone
    WHERE gone.person = reminders.person AND returned_at IS NULL;
CREATE INDEX reminders_of_those_who_left ON intake.reminders (incident, person) WHERE has_left;
