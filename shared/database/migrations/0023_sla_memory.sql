-- The SLA watcher has to know how each incident came to be known, and when it came to and
-- left each support level: its memory is made anew from the log.
TRUNCATE sla.cases, sla.tracking, sla.parked;
