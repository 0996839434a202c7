-- The links of an external record, without reading what was told of it again and again.

CREATE INDEX external_record_links ON log.events (originator_id, originator_version)
    WHERE topic LIKE 'record.%' AND topic <> 'record.put';
