-- Who asked why a person was paged, or was not: recorded before they are told.
CREATE POLICY intake_records_explanations ON log.events FOR INSERT TO desk_intake WITH CHECK (
    split_part(originator_id, '-', 1) = 'explanations'
    AND topic = 'on_call.explained');
