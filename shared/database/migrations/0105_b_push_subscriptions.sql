-- The subscription of a browser has an endpoint and two keys, and is longer than other
-- values. Browsers need the desk's public key to subscribe: escalation writes it.

ALTER TABLE directory.contact_methods DROP CONSTRAINT contact_methods_value_check;
ALTER TABLE directory.contact_methods ADD CONSTRAINT contact_methods_value_check CHECK (
    length(value) BETWEEN 1 AND CASE kind WHEN 'web_push' THEN 2000 ELSE 500 END);

ALTER TABLE directory.channels
    ADD COLUMN public_key text NOT NULL DEFAULT '' CHECK (length(public_key) <= 100);
