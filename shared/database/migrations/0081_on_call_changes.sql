-- Overrides, swaps and temporary schedules are events of a schedule, and absences of a
-- person. Intake decides them; other events of these streams have writers of their own.
CREATE POLICY intake_changes_schedules ON log.events FOR INSERT TO desk_intake WITH CHECK (
    split_part(originator_id, '-', 1) = 'on_call'
    AND topic ~ '^on_call\.(override|swap|temporary_schedule)_[a-z]+$');
CREATE POLICY intake_notes_absences ON log.events FOR INSERT TO desk_intake WITH CHECK (
    split_part(originator_id, '-', 1) = 'absences'
    AND topic ~ '^on_call\.absence_[a-z]+$');
