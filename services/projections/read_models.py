"""The registry of read models; after a change of one, its shape needs the next number.

`tests/golden/test_read_models.py` fails when one was forgotten.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Never

from services.projections.generations import ReadModel
from services.projections.metrics import store as metrics_store
from services.projections.metrics import tables as metrics_tables
from services.projections.metrics.projection import step as metrics_step
from services.projections.metrics.state import State as MetricsState
from services.projections.queue import store as queue_store
from services.projections.queue import tables as queue_tables
from services.projections.queue.projection import project as project_row
from services.projections.queue.row import QueueRow
from services.projections.timeline import store as timeline_store
from services.projections.timeline.entry import TimelineEntry
from services.projections.timeline.entry import project as project_line
from services.projections.words import store as words_store
from services.projections.words import tables as words_tables
from services.projections.words.hashes import current
from services.projections.words.projection import OPENS
from services.projections.words.projection import project as project_words
from services.projections.words.row import Rows
from shared.database.cursors import Cursors
from shared.eventlog.entry import Entry
from shared.vault.vault import Vault


def _with_line(
    lines: list[TimelineEntry] | None, entry: Entry
) -> list[TimelineEntry] | None:
    line = project_line(entry)
    if line is None:
        return lines
    # It is private and grows in place: copying it would take quadratic time.
    grown = [] if lines is None else lines
    grown.append(line)
    return grown


QUEUE: ReadModel[QueueRow] = ReadModel(
    name="queue",
    shape=11,
    opens=frozenset({"incident.opened", "incident.edited"}),
    tables=queue_tables.tables,
    indexes=queue_tables.indexes,
    apply=queue_store.apply,
    step=project_row,
    insert=queue_store.insert,
    compared=(
        # Not the generated column: PostgreSQL cannot hash it.
        queue_tables.ROWS.query(),
        f"{queue_tables.COUNTS.query()} WHERE n <> 0",
    ),
)
TIMELINE: ReadModel[list[TimelineEntry]] = ReadModel(
    name="timeline",
    shape=3,
    opens=frozenset(),
    tables=timeline_store.tables,
    indexes=timeline_store.indexes,
    apply=timeline_store.apply,
    step=_with_line,
    insert=timeline_store.insert,
    compared=(timeline_store.LINES.query(),),
)
METRICS: ReadModel[MetricsState] = ReadModel(
    name="metrics",
    shape=8,
    opens=frozenset(),
    tables=metrics_tables.tables,
    indexes=metrics_tables.indexes,
    apply=metrics_store.apply,
    step=metrics_step,
    insert=metrics_store.insert,
    compared=(metrics_tables.RECORDS.query(), metrics_tables.FACTS.query()),
)


def _without_key(*_: object) -> Never:
    raise TypeError("words are hashed with a key of the vault: `bound` gives it")


def _with_key(vault: Vault) -> ReadModel[Rows]:
    """Return the model with the current key: a rotation takes effect at once.

    Without a master key no words can be read, so none are indexed.
    """

    def apply(cursor: Cursors, schema: str, entries: Sequence[Entry]) -> None:
        if hashes := current(vault):
            words_store.apply(hashes, cursor, schema, entries)

    def step(rows: Rows | None, entry: Entry) -> Rows | None:
        hashes = current(vault)
        return project_words(hashes, rows, entry) if hashes else rows

    return replace(WORDS, apply=apply, step=step)


WORDS: ReadModel[Rows] = ReadModel(
    name="words",
    shape=1,
    opens=OPENS,
    tables=words_tables.tables,
    indexes=words_tables.indexes,
    apply=_without_key,
    step=_without_key,
    insert=words_store.insert,
    compared=(words_tables.RECORDS.query(),),
    keyed=_with_key,
)
MODELS: Mapping[str, ReadModel[Any]] = {
    m.name: m for m in (QUEUE, TIMELINE, METRICS, WORDS)
}
