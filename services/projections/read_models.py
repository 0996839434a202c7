"""The registry of read models."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.projections.metrics import store as metrics_store
from services.projections.metrics import tables as metrics_tables
from services.projections.metrics.incident_state import State as MetricsState
from services.projections.metrics.projection import step as metrics_step
from services.projections.queue import store as queue_store
from services.projections.queue import tables as queue_tables
from services.projections.queue.projection import project as project_row
from services.projections.queue.row import QueueRow
from services.projections.queue.store import Cell, difference
from services.projections.read_model import Cursors, ReadModel
from services.projections.timeline import store as timeline_store
from services.projections.timeline.entry import TimelineEntry
from services.projections.timeline.entry import project as project_line
from shared.eventlog.entry import Entry


def _finish_queue(cursor: Cursors, schema: str, rows: Sequence[QueueRow]) -> None:
    moved: Counter[Cell] = difference((None, row) for row in rows)
    queue_store.count(cursor, schema, moved)
    queue_store.put_in_place(cursor, schema, rows)


def _one_more(
    lines: list[TimelineEntry] | None, entry: Entry
) -> list[TimelineEntry] | None:
    line = project_line(entry)
    if line is None:
        return lines
    # It is private and grows in place: copying it would take quadratic time.
    grown = [] if lines is None else lines
    grown.append(line)
    return grown


def _nothing(_cursor: Cursors, _schema: str, _states: Sequence[object]) -> None:
    pass


def _line_columns(lines: list[TimelineEntry]) -> Iterable[Sequence[object]]:
    return map(timeline_store.columns, lines)


QUEUE: ReadModel[QueueRow] = ReadModel(
    name="queue",
    shape=8,
    opens=frozenset({"incident.opened", "incident.edited"}),
    tables=queue_tables.tables,
    indexes=queue_tables.indexes,
    apply=queue_store.apply,
    step=project_row,
    copied=f"{queue_tables.ROWS} ({', '.join(queue_store.COLUMNS)})",
    types=queue_store.TYPES,
    columns=lambda row: (queue_store.columns(row),),
    finish=_finish_queue,
    compared=(
        # Not all columns: PostgreSQL cannot hash the generated ones.
        f"SELECT {', '.join(queue_store.COLUMNS)} FROM {{schema}}.incidents",  # noqa: S608 # our own names
        "SELECT * FROM {schema}.counts WHERE n <> 0",
    ),
)
TIMELINE: ReadModel[list[TimelineEntry]] = ReadModel(
    name="timeline",
    shape=3,
    opens=frozenset(),
    tables=timeline_store.tables,
    indexes=timeline_store.indexes,
    apply=timeline_store.apply,
    step=_one_more,
    copied=timeline_store.LINES,
    types=timeline_store.TYPES,
    columns=_line_columns,
    finish=_nothing,
    compared=("SELECT * FROM {schema}.lines",),
)
METRICS: ReadModel[MetricsState] = ReadModel(
    name="metrics",
    shape=5,
    opens=frozenset(),
    tables=metrics_tables.tables,
    indexes=metrics_tables.indexes,
    apply=metrics_store.apply,
    step=metrics_step,
    copied=metrics_store.COPIED,
    types=metrics_store.COPIED_TYPES,
    columns=lambda state: (metrics_store.columns(state),),
    finish=metrics_store.finish,
    compared=("SELECT * FROM {schema}.records", "SELECT * FROM {schema}.facts"),
)
MODELS: Mapping[str, ReadModel[Any]] = {m.name: m for m in (QUEUE, TIMELINE, METRICS)}
