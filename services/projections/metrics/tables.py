"""Tables of the metrics: what is remembered of each record, and its facts.

All facts lie in one table, whatever their kind: a period is a range of one of its two
indexes, and what is counted in it is counted by PostgreSQL.
"""

from collections.abc import Sequence

RECORDS = "records"
FACTS = "facts"
_TEXT = 'text COLLATE "C"'
_FACTS = f"""
record {_TEXT} NOT NULL, kind {_TEXT} NOT NULL, number int NOT NULL,
since timestamptz NOT NULL, until timestamptz, word {_TEXT} NOT NULL, ended {_TEXT},
working int, wall int, service {_TEXT}, client {_TEXT}, priority {_TEXT}, team {_TEXT},
category {_TEXT}, channel {_TEXT}, via {_TEXT}
"""
"""The fields of `FactRow`."""


def tables(schema: str) -> Sequence[str]:
    """Return the statements that make the tables, to be run before rows come in."""
    return (
        (
            f"CREATE TABLE {schema}.{RECORDS} (record {_TEXT} NOT NULL,"
            " state jsonb NOT NULL) WITH (fillfactor = 85)"
        ),
        f"CREATE TABLE {schema}.{FACTS} ({_FACTS}) WITH (fillfactor = 85)",
    )


def indexes(schema: str) -> Sequence[str]:
    """Return the statements that make the indexes, to be run when rows are in."""
    facts = f"{schema}.{FACTS}"
    return (
        f"ALTER TABLE {schema}.{RECORDS} ADD PRIMARY KEY (record)",
        f"ALTER TABLE {facts} ADD PRIMARY KEY (record, kind, number)",
        f"CREATE INDEX begun ON {facts} (kind, since) INCLUDE (until, word, ended)",
        # NULLs stand together at its end: what still lasts.
        f"CREATE INDEX over ON {facts} (kind, until, since) INCLUDE (ended)",
        f"ANALYZE {facts}",
    )
