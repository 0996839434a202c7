-- The type of an event becomes a subject of NATS, and its stream a header there. A space in
-- a type kept the relay from publishing it and all later events, for ever; a line break in a
-- stream was a header of its own. Of all policies for a service this one has to hold as well.

CREATE POLICY plain_names ON log.events AS RESTRICTIVE FOR INSERT WITH CHECK (
    topic ~ '^[a-z_]+([.][a-z_]+)+$' AND length(topic) <= 100
    AND originator_id ~ '^[A-Za-z0-9._-]{1,200}$');
