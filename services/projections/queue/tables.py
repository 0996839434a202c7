"""Tables of the queue: rows, counts, and the indexes that keep every page fast.

Each queue and each single filter has an index in the order of the page, so a page of
fifty rows reads fifty index entries, however many incidents there are. A rebuild
creates the indexes after it has loaded the rows. Open and ended incidents have separate
indexes, since nearly all incidents are ended and nearly all reads are about open ones.
"""

from collections.abc import Sequence

ROWS = "incidents"
COUNTS = "counts"
HOURS = "hours"
"""All working hours that rows ever used, each with one of its names."""

_TEXT = 'text COLLATE "C"'
COLUMNS = f"""
ref {_TEXT} NOT NULL, title text NOT NULL, status {_TEXT} NOT NULL,
priority {_TEXT} NOT NULL, impact {_TEXT} NOT NULL, urgency {_TEXT} NOT NULL,
service {_TEXT} NOT NULL, category {_TEXT}, client {_TEXT}, team {_TEXT} NOT NULL,
assignee {_TEXT}, reporter {_TEXT}, origin {_TEXT} NOT NULL,
opened_at timestamptz NOT NULL, reported_at timestamptz NOT NULL,
updated_at timestamptz NOT NULL, acknowledged_at timestamptz, restored_at timestamptz,
ended_at timestamptz, pause_reason {_TEXT}, cycle int NOT NULL,
repeats bigint NOT NULL, merged_into {_TEXT}, version bigint NOT NULL,
position bigint NOT NULL, user_reported boolean NOT NULL, level {_TEXT} NOT NULL,
accepted_by {_TEXT}, due_at timestamptz, due_target {_TEXT}, breached boolean NOT NULL,
flapping boolean NOT NULL, snoozed_until timestamptz, root_cause {_TEXT},
quick_fix boolean NOT NULL,
own_team {_TEXT} NOT NULL, own_team_position bigint NOT NULL,
presumed_problem {_TEXT},
sla_position bigint NOT NULL, sla_cycle int NOT NULL, tto_due_at timestamptz,
ttr_due_at timestamptz, tto_breached boolean NOT NULL, ttr_breached boolean NOT NULL,
help_position bigint NOT NULL, help_cycle int NOT NULL, help_level {_TEXT} NOT NULL,
help_team {_TEXT}, help_team_position bigint NOT NULL, help_accepted_by {_TEXT},
problem_refs text NOT NULL, cause_left boolean NOT NULL,
flapping_keys text NOT NULL, tto_hours text, ttr_hours text, due_hours text,
ttr_left int, label_words text NOT NULL, contacts text NOT NULL,
rank smallint, hours {_TEXT} NOT NULL, worked bigint NOT NULL,
resolved_in {_TEXT} NOT NULL, resolved_by bigint NOT NULL,
words text NOT NULL, search tsvector NOT NULL
GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED
"""
"""The fields of `QueueRow`, then its place in the order: `rank`, NULL once ended, its
due working time since the origin, and its `hours`. Then the same for its promise to
resolve, by which load is measured; then its words."""

OPEN_ORDER = "rank, worked, priority, (NOT user_reported), reported_at, ref"
"""The order of rows with the same working hours; see `working_order`."""
OLDEST_ORDER = "(rank = 2), reported_at, ref"
"""The order of open rows with the oldest first; 2 is `AWAITS_CLOSURE`."""
ENDED_ORDER = "ended_at DESC, ref DESC"
_PERSONAL = ("title", "label_words", "words", "search")
_UNSAMPLED = "ALTER COLUMN {} SET STATISTICS 0"
_PENDING_KB = 256
"""The size of an index's list of pending words, which every search scans."""
_OPEN_FILTERS = (
    "status",
    "priority",
    "level",
    "service",
    "client",
    "team",
    "assignee",
    "reporter",
)
_ENDED_FILTERS = ("service", "client", "team", "assignee", "reporter")


def tables(schema: str) -> Sequence[str]:
    """Return the statements that create the tables, to run before inserting rows."""
    return (
        # Free space on each page allows updates without index changes (HOT updates).
        f"CREATE TABLE {schema}.{ROWS} ({COLUMNS}) WITH (fillfactor = 85)",
        # Otherwise ANALYZE keeps words as samples, where they could not be erased.
        f"ALTER TABLE {schema}.{ROWS} {', '.join(map(_UNSAMPLED.format, _PERSONAL))}",
        (
            f"CREATE TABLE {schema}.{HOURS} (name {_TEXT} PRIMARY KEY,"
            " counted_in text NOT NULL)"
        ),
        (
            f"CREATE TABLE {schema}.{COUNTS} (queue {_TEXT} NOT NULL, status {_TEXT}"
            f" NOT NULL, priority {_TEXT} NOT NULL, breached boolean NOT NULL,"
            " n bigint NOT NULL, PRIMARY KEY (queue, status, priority, breached))"
            " WITH (fillfactor = 30)"
        ),
    )


def indexes(schema: str) -> Sequence[str]:
    """Return the statements that create the indexes, to run after inserting rows."""
    rows = f"{schema}.{ROWS}"
    is_open, is_ended = "WHERE rank IS NOT NULL", "WHERE rank IS NULL"
    words = f"USING gin (search) WITH (gin_pending_list_limit = {_PENDING_KB})"
    return (
        f"ALTER TABLE {rows} ADD PRIMARY KEY (ref)",
        f"CREATE INDEX open_all ON {rows} (hours, {OPEN_ORDER}) {is_open}",
        f"CREATE INDEX open_oldest ON {rows} ({OLDEST_ORDER}) {is_open}",
        # With `assignee IS NULL` in an index key PostgreSQL would sort the result.
        (
            f"CREATE INDEX open_unassigned ON {rows} (hours, {OPEN_ORDER})"
            f" {is_open} AND assignee IS NULL"
        ),
        *(
            f"CREATE INDEX open_{name} ON {rows} ({name}, hours, {OPEN_ORDER})"
            f" {is_open}"
            for name in _OPEN_FILTERS
        ),
        # Few have an open root cause: the index contains only those.
        *(
            f"CREATE INDEX {name}_root_cause ON {rows} (root_cause, {order})"
            f" {part} AND root_cause IS NOT NULL"
            for name, order, part in (
                ("open", f"hours, {OPEN_ORDER}", is_open),
                ("ended", ENDED_ORDER, is_ended),
            )
        ),
        f"CREATE INDEX ended_all ON {rows} ({ENDED_ORDER}) {is_ended}",
        *(
            f"CREATE INDEX ended_{name} ON {rows} ({name}, {ENDED_ORDER}) {is_ended}"
            for name in _ENDED_FILTERS
        ),
        f"CREATE INDEX open_words ON {rows} {words} {is_open}",
        f"CREATE INDEX ended_words ON {rows} {words} {is_ended}",
    )
