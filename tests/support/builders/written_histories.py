"""Puts drawn histories into a real log, and a live generation beside it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from services.projections.generations import ReadModel, find_live, generations
from services.projections.read_models import MODELS
from services.projections.rebuild.builder import builder
from services.projections.rebuild.load import catch_up
from services.projections.rebuild.rebuild import Rebuilt, digest, ensure, rebuild
from shared.clock import real_clock
from shared.eventlog.append import AppendUnit
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from tests.support import key_ring
from tests.support.servers.servers import Database

MASTER = key_ring.MASTER
QUEUE, TIMELINE = MODELS["queue"], MODELS["timeline"]


def write(log: EventLog, entries: Sequence[Entry]) -> int:
    """Append drawn entries in their order; return the head's position."""
    for start in range(0, len(entries), 500):
        part = entries[start : start + 500]
        fresh = tuple(log.stored(e.stream, e.version, e.event) for e in part)
        with log.transaction() as cursor:
            log.append(cursor, [AppendUnit((one,)) for one in fresh])
    return log.head().position


def followed(database: Database, model: ReadModel[Any], log: EventLog) -> str:
    """Return the live schema, brought up to the head as its reader would."""
    schema = ensure(database.dsn("desk_projections"), MASTER, model, real_clock)
    catch_up(log, model, schema, log.head().position)
    return schema


def rebuilt(
    database: Database,
    model: ReadModel[Any],
    *,
    accept: bool = False,
    chunk_events: int = 25_000,
) -> Rebuilt:
    """Rebuild a model as `permanence rebuild` does."""
    dsn = database.dsn("desk_projections")
    with builder(dsn, MASTER, model, chunk_events=chunk_events) as own:
        return rebuild(own, _clock, lambda _stage, _done, _of: None, accept=accept)


def live_of(log: EventLog, model: ReadModel[Any]) -> str | None:
    """Return the live schema of a read model."""
    with log.transaction() as cursor:
        found = find_live(cursor, model.name)
    return found.schema if found else None


def schemas_of(log: EventLog, model: ReadModel[Any]) -> list[str]:
    """Return the schemas of all generations there are."""
    with log.transaction() as cursor:
        return generations(cursor, model.name)


def digest_of(log: EventLog, model: ReadModel[Any], schema: str) -> str:
    """Return the digest of a generation."""
    with log.transaction() as cursor:
        return digest(cursor, model, schema)


def _clock() -> datetime:
    return datetime(2026, 3, 2, tzinfo=UTC)
