"""Rebuilds a read model: a new generation is compared with the live one, then flipped.

Two generations with the same content have the same digest. Before a service follows the
log, `ensure` makes sure that there is a live generation.
"""

from dataclasses import dataclass
from time import monotonic
from typing import Any

from services.projections.generations import (
    Live,
    ReadModel,
    as_of,
    create,
    drop_others,
    find_live,
    flip,
    forget_previous,
    hold_live,
)
from services.projections.rebuild.builder import Builder, builder, logged_in
from services.projections.rebuild.fold import chunks
from services.projections.rebuild.load import ReportProgress, catch_up, load, silently
from services.projections.rebuild.plan import Build, begin, unfinished
from services.projections.rebuild.worker import WorkersEnded
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.eventlog.errors import is_unavailable
from shared.eventlog.log import Row
from shared.vault.master_keys import MasterKeys

_SUM = """
SELECT count(*), sum(hash_record_extended(t, 0)::numeric),
       sum(hash_record_extended(t, 1)::numeric)
FROM ({rows}) AS t
"""
_PARKED = "SELECT position, stream FROM {schema}.parked"


def digest(cursor: Cursors, model: ReadModel[Any], schema: str) -> str:
    """Return the digest of a generation; the order of its rows does not matter.

    It contains the number of rows of each table, the sums of two 64-bit hashes of each
    row, and the parked events. PostgreSQL computes it for a million rows per second.
    """
    return " ".join(
        _sum(cursor, rows.format(schema=schema)) for rows in (*model.compared, _PARKED)
    )


def _sum(cursor: Cursors, rows: str) -> str:
    row = cursor.execute(_SUM.format(rows=rows)).fetchone() or ()
    return "/".join(str(value or 0) for value in row)


_HELD_SECONDS = 60
"""The maximum time for which the live generation may be locked for the flip."""


class NoEarlierGeneration(Exception):
    """A rollback is impossible: no earlier generation is left."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The result of a rebuild. `same` is None if there was nothing to compare with."""

    name: str
    schema: str
    flipped: bool
    same: bool | None
    digest: str
    position: int
    events: int
    parked: int
    seconds: float


def rebuild(
    builder: Builder,
    clock: Clock,
    report: ReportProgress,
    *,
    accept: bool = False,
    resume: bool = False,
) -> Rebuilt:
    """Build the next generation and make it live if its content equals the live one's.

    If they differ, `accept` decides; a rejected one is kept for inspection until the
    next rebuild. The live one is not touched until the flip, and kept after it. With
    `resume`, a build that was interrupted is taken up again.
    """
    began = monotonic()
    model, cursor = builder.model, builder.cursor
    was = find_live(cursor, model.name)
    rival = was.schema if was and was.shape == model.shape else None
    build = None
    if resume:
        build = unfinished(cursor, builder.source.log, model, _kept(was))
    if build is None:
        build = _begun(builder, rival, report)
        drop_others(cursor, model.name, {*_kept(was), build.schema})
    schema = build.schema
    done = load(builder.source, cursor, model, build, report)
    report("compare", 0, 1)
    same = _same(builder, rival, schema) if rival else None
    flipped = same is not False or accept
    if flipped:
        _flip(builder, schema, clock, report)
        drop_others(cursor, model.name, {schema, was.schema if was else None})
    report("compare", 1, 1)
    return Rebuilt(
        model.name,
        schema,
        flipped,
        same,
        digest(cursor, model, schema),
        as_of(cursor, schema).position,
        done.events,
        done.parked,
        monotonic() - began,
    )


def _begun(builder: Builder, rival: str | None, report: ReportProgress) -> Build:
    """Begin a build, under a number that the one before it did not have.

    A late process of that one finds another schema.
    """
    model, cursor, source = builder.model, builder.cursor, builder.source
    last = _beginning(builder, rival)
    report("fold", 0, last.position if last else 0)
    with builder.connection.transaction():
        schema = create(cursor, model)
        parts = list(chunks(cursor, source.chunk_events)) if last else []
        return begin(cursor, model, schema, last, parts)


def rollback(builder: Builder, clock: Clock) -> str:
    """Bring the previous generation up to date, make it live and return its schema."""
    was = find_live(builder.cursor, builder.model.name)
    if was is None or was.previous_schema is None:
        raise NoEarlierGeneration(
            f"{builder.model.name} has no generation before the live one"
        )
    if was.previous_shape != builder.model.shape:
        raise NoEarlierGeneration(
            f"{was.previous_schema} has the tables of another version: roll the "
            "program back first"
        )
    _flip(builder, was.previous_schema, clock)
    return was.previous_schema


def discard_previous(builder: Builder) -> None:
    """Drop every generation but the live one; a rollback is then impossible."""
    model, cursor = builder.model, builder.cursor
    with builder.connection.transaction():
        was = hold_live(cursor, model.name, alone=True)
        forget_previous(cursor, model)
    if was is not None:
        drop_others(cursor, model.name, {was.schema})


def _kept(live: Live | None) -> set[str | None]:
    return {live.schema, live.previous_schema} if live else set()


def _beginning(builder: Builder, rival: str | None) -> Row | None:
    """Return the event up to which to load: the rival's, for comparison, or the head.

    A rival whose reader has stopped is overtaken only after the comparison.
    """
    log = builder.source.log
    position = as_of(builder.cursor, rival).position if rival else log.head().position
    return next(iter(log.rows_since(position - 1, 1)), None) if position else None


def _same(builder: Builder, rival: str, schema: str) -> bool:
    """Return whether both generations have the same content at the rival's position.

    The rival is read in a snapshot while its reader continues.
    """
    cursor = builder.cursor
    with builder.connection.transaction():
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        position = as_of(cursor, rival).position
        expected = digest(cursor, builder.model, rival)
    catch_up(builder.source.log, builder.model, schema, position)
    return digest(cursor, builder.model, schema) == expected


def _flip(
    builder: Builder, schema: str, clock: Clock, report: ReportProgress = silently
) -> None:
    """Make `schema` live at the position of the live one, while no reader applies."""
    model, log, cursor = builder.model, builder.source.log, builder.cursor
    catch_up(log, model, schema, log.head().position, report)
    with builder.connection.transaction():
        cursor.execute(
            f"SET LOCAL idle_in_transaction_session_timeout = '{_HELD_SECONDS}s'"
        )
        was = hold_live(cursor, model.name, alone=True)
        if was is not None:
            catch_up(log, model, schema, as_of(cursor, was.schema).position)
        flip(cursor, model, schema, clock())


class GivenUp(Exception):
    """A build was told to end; the next one goes on from there."""


class NewerGeneration(Exception):
    """A newer version of the program built the live generation: do not touch it."""


def ensure(
    dsn: str,
    master: MasterKeys | None,
    model: ReadModel[Any],
    clock: Clock,
    report: ReportProgress = silently,
) -> str:
    """Return the live schema of `model`; build it first if its shape is missing.

    A build that was interrupted is taken up again. If several services start at once,
    one builds and the others wait. A valid live generation is returned at once, even
    while it is being rebuilt. Raises `NewerGeneration`, `WrongLogin` or `Unavailable`.
    Blocks.
    """
    with logged_in(dsn) as connection:
        good = _good(find_live(connection.cursor(), model.name), model)
    if good is not None:
        return good
    with builder(dsn, master, model, wait=True) as own:
        good = _good(find_live(own.cursor, model.name), model)
        return good or _resumed(own, clock, report)


def _resumed(builder: Builder, clock: Clock, report: ReportProgress) -> str:
    """Build, and keep what was built only if another try could go on from there."""
    try:
        return rebuild(builder, clock, report, resume=True).schema
    except (GivenUp, WorkersEnded):
        raise
    except Exception as error:
        if not is_unavailable(error):
            cursor, name = builder.cursor, builder.model.name
            drop_others(cursor, name, _kept(find_live(cursor, name)))
        raise


def _good(live: Live | None, model: ReadModel[Any]) -> str | None:
    if live is None or live.shape < model.shape:
        return None
    if live.shape > model.shape:
        raise NewerGeneration(
            f"{live.schema} was built by a newer program: start that one, or go back "
            f"with `permanence rebuild {model.name} --rollback`"
        )
    return live.schema
