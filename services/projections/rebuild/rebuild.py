"""One value for all a generation says: two that say the same have the same.

A new generation beside the live one: compared with it, then live in one moment.

What comes before following: see to it that there is a live generation.
"""

from dataclasses import dataclass
from time import monotonic
from typing import Any

from services.projections.generations import Live, as_of, find_live, hold_live
from services.projections.read_model import Cursors, ReadModel
from services.projections.rebuild.builder import Builder, builder, connected
from services.projections.rebuild.load import Told, catch_up, load
from services.projections.rebuild.schemas import (
    create,
    drop_others,
    flip,
    forget_previous,
)
from shared.clock import Clock
from shared.eventlog.log import Row
from shared.vault.master_keys import MasterKeys

_SUM = """
SELECT count(*), sum(hash_record_extended(t, 0)::numeric),
       sum(hash_record_extended(t, 1)::numeric)
FROM ({rows}) AS t
"""
_PARKED = "SELECT position, stream FROM {schema}.parked"


def digest(cursor: Cursors, model: ReadModel[Any], schema: str) -> str:
    """Return the digest of a generation, whatever the order of its rows.

    For each table the number of rows and the sums of two 64-bit hashes of each; then
    which events are parked. PostgreSQL computes it, about a million rows a second.
    """
    return " ".join(
        _sum(cursor, rows.format(schema=schema)) for rows in (*model.compared, _PARKED)
    )


def _sum(cursor: Cursors, rows: str) -> str:
    row = cursor.execute(_SUM.format(rows=rows)).fetchone() or ()
    return "/".join(str(value or 0) for value in row)


_HELD_SECONDS = 60
"""How long the live generation may be held for the flip, at the very most."""


class NoEarlierGeneration(Exception):
    """No earlier generation is left to go back to."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did. `same` is None where there was nothing to compare with."""

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
    builder: Builder, clock: Clock, told: Told, *, accept: bool = False
) -> Rebuilt:
    """Build the next generation and make it live if it says what the live one says.

    Where they differ, `accept` decides; refused, it stays for a look until the next
    rebuild. The live one is not touched until the flip and kept after it.
    """
    began = monotonic()
    model, cursor = builder.model, builder.cursor
    was = find_live(cursor, model.name)
    drop_others(cursor, model.name, _kept(was))
    with builder.connection.transaction():
        schema = create(cursor, model)
    rival = was.schema if was and was.shape == model.shape else None
    done = load(builder.source, cursor, model, schema, _beginning(builder, rival), told)
    told("compare", 0, 1)
    same = _same(builder, rival, schema) if rival else None
    flipped = same is not False or accept
    if flipped:
        _flip(builder, schema, clock)
        drop_others(cursor, model.name, {schema, was.schema if was else None})
    told("compare", 1, 1)
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


def rollback(builder: Builder, clock: Clock) -> str:
    """Make the generation before live again, brought up to now; return its schema."""
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
    """Drop every generation but the live one: there is nothing to go back to then."""
    model, cursor = builder.model, builder.cursor
    with builder.connection.transaction():
        was = hold_live(cursor, model.name, alone=True)
        forget_previous(cursor, model)
    if was is not None:
        drop_others(cursor, model.name, {was.schema})


def _kept(live: Live | None) -> set[str | None]:
    return {live.schema, live.previous_schema} if live else set()


def _beginning(builder: Builder, rival: str | None) -> Row | None:
    """Return the event up to which to load: the rival's, to be compared, or the head.

    A rival whose reader stands still is passed only after the comparison.
    """
    log = builder.source.log
    position = as_of(builder.cursor, rival).position if rival else log.head().position
    return next(iter(log.rows_since(position - 1, 1)), None) if position else None


def _same(builder: Builder, rival: str, schema: str) -> bool:
    """Tell whether both generations say the same at the position of the rival.

    The rival is read in a snapshot while its reader goes on.
    """
    cursor = builder.cursor
    with builder.connection.transaction():
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        position = as_of(cursor, rival).position
        said = digest(cursor, builder.model, rival)
    catch_up(builder.source.log, builder.model, schema, position)
    return digest(cursor, builder.model, schema) == said


def _flip(builder: Builder, schema: str, clock: Clock) -> None:
    """Make `schema` live at the position of the live one, while nobody applies."""
    model, log, cursor = builder.model, builder.source.log, builder.cursor
    catch_up(log, model, schema, log.head().position)
    with builder.connection.transaction():
        cursor.execute(
            f"SET LOCAL idle_in_transaction_session_timeout = '{_HELD_SECONDS}s'"
        )
        was = hold_live(cursor, model.name, alone=True)
        if was is not None:
            catch_up(log, model, schema, as_of(cursor, was.schema).position)
        flip(cursor, model, schema, clock())


class NewerGeneration(Exception):
    """A newer program has built the live generation: this one must not touch it."""


def ensure(
    dsn: str, master: MasterKeys | None, model: ReadModel[Any], clock: Clock
) -> str:
    """Return the live schema of `model`, built first if its shape is missing.

    Of several services that start at once, one builds and the others wait; one that is
    good is not waited for, even while somebody rebuilds it. Raises `NewerGeneration`,
    or `Unavailable`. Blocks.
    """
    with connected(dsn) as connection:
        good = _good(find_live(connection.cursor(), model.name), model)
    if good is not None:
        return good
    with builder(dsn, master, model, wait=True) as own:
        good = _good(find_live(own.cursor, model.name), model)
        return good or rebuild(own, clock, lambda _stage, _done, _of: None).schema


def _good(live: Live | None, model: ReadModel[Any]) -> str | None:
    if live is None or live.shape < model.shape:
        return None
    if live.shape > model.shape:
        raise NewerGeneration(
            f"{live.schema} was built by a newer program: start that one, or go back "
            f"with `permanence rebuild {model.name} --rollback`"
        )
    return live.schema
