-- The watcher verifies links of users itself: a link is void without an address.
GRANT USAGE ON SCHEMA directory TO desk_sla_watcher;
GRANT SELECT (id, email) ON directory.people TO desk_sla_watcher;
