"""A new generation beside the live one: compared with it, then live in one moment."""

from dataclasses import dataclass
from time import monotonic

from services.projections.generations import Live, as_of, find_live, hold_live
from services.projections.rebuild.builder import Builder
from services.projections.rebuild.catch_up import catch_up
from services.projections.rebuild.digest import digest
from services.projections.rebuild.load import Told, load
from services.projections.rebuild.schemas import (
    create,
    drop_others,
    flip,
    forget_previous,
)
from shared.clock import Clock
from shared.eventlog.log import Row

_HELD_SECONDS = 60
"""How long the live generation may be held for the flip, at the very most."""


class NoOther(Exception):
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
        raise NoOther(f"{builder.model.name} has no generation before the live one")
    if was.previous_shape != builder.model.shape:
        raise NoOther(
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
