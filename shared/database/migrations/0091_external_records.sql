-- External records: intake writes what other systems tell of them, and their links. Lists read
-- them straight from the log, each by its first event, as problems and changes are.

CREATE POLICY intake_keeps_records ON log.events FOR INSERT TO desk_intake WITH CHECK (
    split_part(originator_id, '-', 1) = 'record' AND topic LIKE 'record.%');

CREATE INDEX external_records_begun ON log.events (originator_id COLLATE "C")
    WHERE topic = 'record.put' AND originator_version = 1;
