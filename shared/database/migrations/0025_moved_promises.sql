-- How far a move of promises to another version of the policy is: from the log itself.
CREATE INDEX promises_moved ON log.events (notification_id) WHERE topic = 'promises.moved';
