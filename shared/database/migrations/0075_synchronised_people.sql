-- Who came from an outside directory such as LDAP: a synchronisation removes nobody else.
ALTER TABLE directory.people ADD COLUMN synchronised boolean NOT NULL DEFAULT false;
-- One process at a time synchronises people.
INSERT INTO intake.leases (name) VALUES ('people_sync');
