-- When pages left to each contact method of a person lately: more than a channel allows wait.
CREATE TABLE escalation.page_windows (
    person  text NOT NULL,
    channel text NOT NULL,
    method  text NOT NULL,
    sent_at timestamptz[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (person, channel, method)
);

-- Pages of the outbox that wait, by the keys of their notifications. Once they may leave, all of
-- them leave as one message, a bundle, which is sent for the page that leads it.
CREATE TABLE escalation.held_pages (
    key    text PRIMARY KEY,
    bundle text,
    leads  boolean NOT NULL DEFAULT false
);
CREATE INDEX held_pages_bundle ON escalation.held_pages (bundle);
CREATE INDEX outbox_pages ON escalation.outbox (person, channel, method) WHERE kind = 'page';

GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.page_windows, escalation.held_pages
    TO desk_escalation;
GRANT SELECT ON escalation.page_windows, escalation.held_pages TO desk_admin;
