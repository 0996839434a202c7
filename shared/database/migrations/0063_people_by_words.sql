-- People are found by the words of their names, whatever their case and accents. The
-- same words as services/projections/queue/words.py makes; a test compares the two.

CREATE FUNCTION directory.words_of(name text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_to_tsvector(array_remove(regexp_split_to_array(
    replace(replace(replace(translate(lower(
        regexp_replace(normalize(name, NFKD), '[\u0300-\u036f]', '', 'g')
    ), 'øłđ', 'old'), 'œ', 'oe'), 'æ', 'ae'), 'ß', 'ss'),
    '[^[:alnum:]]+'), ''));

CREATE INDEX people_by_words ON directory.people USING gin (directory.words_of(name));
-- Else ANALYZE keeps names as samples, and nobody could forget them there.
ALTER INDEX directory.people_by_words ALTER COLUMN 1 SET STATISTICS 0;
