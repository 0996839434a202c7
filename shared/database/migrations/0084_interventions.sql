-- Interventions of people on standby, which they declare themselves.
CREATE POLICY intake_declares_interventions ON log.events FOR INSERT TO desk_intake WITH CHECK (
    split_part(originator_id, '-', 1) = 'interventions'
    AND topic IN ('on_call.intervention_declared', 'on_call.intervention_withdrawn'));
