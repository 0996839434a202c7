-- Changes of addresses are events in the stream of their person. `permanence people import`
-- changes some as `desk_admin`, and `permanence audit addresses --record` records those that
-- were there before.
CREATE POLICY admin_records_addresses ON log.events FOR INSERT TO desk_admin WITH CHECK (
    split_part(originator_id, '-', 1) = 'person' AND topic = 'person.address_changed');

-- A key is made living, and destroyed by `desk_admin` alone: nobody else can say that an
-- address cannot be compared, since its key were destroyed.
REVOKE INSERT ON vault.keys FROM desk_intake, desk_escalation, desk_sla_watcher, desk_admin;
GRANT INSERT (key_id, owner, wrapped, created_at) ON vault.keys
    TO desk_intake, desk_escalation, desk_sla_watcher, desk_admin;
