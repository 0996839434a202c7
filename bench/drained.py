"""How far each reader of a desk has come: watcher, escalation and the read models."""

from collections.abc import Mapping

from services.projections.generations import live
from services.projections.read_models import MODELS
from shared.eventlog.log import EventLog
from tests.support.patience import until

SERVICES = {"sla_watcher": "sla", "escalation": "escalation"}


def positions(log: EventLog) -> Mapping[str, int]:
    """Return by reader the position of the last event it has processed.

    Fails if one has parked events: then it does not do its work.
    """
    return {**_tracked(log, SERVICES), **model_positions(log)}


def model_positions(log: EventLog) -> Mapping[str, int]:
    """Return the same for the read models alone."""
    with log.transaction() as cursor:
        schemas = {name: live(cursor, MODELS[name]).schema for name in MODELS}
    return _tracked(log, schemas)


def _tracked(log: EventLog, schemas: Mapping[str, str]) -> Mapping[str, int]:
    found = {}
    with log.transaction() as cursor:
        for name, schema in schemas.items():
            query = f"SELECT position, parked_streams FROM {schema}.tracking"  # noqa: S608 # our own names
            for position, parked in cursor.execute(query):
                assert not parked, f"{name} has parked {parked} streams: void"
                found[name] = int(position)
    return found


def queue_position(log: EventLog) -> int:
    """Return the position of the queue, which agents look at."""
    return positions(log)["queue"]


def wait_until_drained(log: EventLog, seconds: float) -> None:
    """Return once all have read everything, including what they recorded themselves."""
    until(
        lambda: set(positions(log).values()) == {log.head().position},
        "watcher, escalation and read models have read the log",
        seconds,
    )


def said(log: EventLog, kind: str) -> int:
    """Return the number of events of a type."""
    with log.transaction() as cursor:
        row = cursor.execute(
            "SELECT count(*) FROM log.events WHERE topic = %s", (kind,)
        ).fetchone()
    return int(row[0]) if row else 0
