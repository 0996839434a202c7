-- `permanence restored` writes the rights of people again from the log, and ends what signs
-- somebody in; `permanence audit rights` compares, also for auditors.

GRANT INSERT, UPDATE, DELETE ON access.grants, access.removed_people TO desk_admin;
GRANT SELECT, DELETE ON access.sign_in_mail TO desk_admin;
GRANT USAGE ON SCHEMA access TO desk_auditor;
GRANT SELECT ON access.grants, access.removed_people TO desk_auditor;

-- Instants that every reader can represent, as in the other tables. Rows written before are
-- not checked.
ALTER TABLE access.grants ADD CONSTRAINT readable CHECK (
    least(given_at, until, withdrawn_at) > '1999-12-31'
    AND greatest(given_at, until, withdrawn_at) < '3000-01-02') NOT VALID;
ALTER TABLE access.removed_people ADD CONSTRAINT readable CHECK (
    least(removed_at, returned_at) > '1999-12-31'
    AND greatest(removed_at, returned_at) < '3000-01-02') NOT VALID;
