-- Somebody who wrote from an address that the directory did not have is heard all the same,
-- and answered: a row of their own, unconfirmed until an import says who they are.

ALTER TABLE directory.people ADD COLUMN confirmed boolean NOT NULL DEFAULT true;
