"""Holds what was promised against the log, the stream and the read models."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from nats.errors import Error

from services.projections.generations import live
from services.projections.read_models import MODELS
from services.projections.rebuild.builder import builder
from services.projections.rebuild.rebuild import rebuild
from shared.clock import real_clock
from shared.domain.events.incident import IncidentOpened
from shared.eventlog.entry import GENESIS, Link, chained
from shared.eventlog.log import EventLog, Row
from shared.messaging import subjects
from standalone.nats import Bus
from tests.support.desks.running import MASTER, Desk
from tests.support.faults.load import Promised
from tests.support.patience import until
from tests.support.servers.nats_clients import ANSWER_SECONDS, connected_to

READERS = (
    ("sla", "sla_watcher"),
    ("escalation", "escalation"),
)


def assert_books_balance(desk: Desk, promised: Promised) -> None:
    """Everything below: nothing promised is missing, nothing is there twice."""
    log = desk.log()
    try:
        rows = all_rows(log)
        assert_log_is_whole(rows)
        assert_promises_are_kept(log, rows, promised)
        assert_readers_arrive(log)
        assert_stream_is_in_order(desk.nats.bus, rows[-1].position)
        assert_read_models_equal_their_rebuild(desk)
    finally:
        log.close()


def all_rows(log: EventLog) -> list[Row]:
    """Return the whole log, as stored."""
    rows: list[Row] = []
    while page := log.rows_since(len(rows), 5_000):
        rows.extend(page)
    return rows


def assert_log_is_whole(rows: Sequence[Row]) -> None:
    """Positions without a gap, versions too, instants in order, the chain unbroken."""
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    instants = [row.recorded_at for row in rows]
    assert instants == sorted(instants)
    seen: Counter[str] = Counter()
    before = GENESIS
    for row in rows:
        seen[row.stream] += 1
        assert row.version == seen[row.stream]
        link = Link(*row[:4], row.recorded_at, row.command_id, row.state)
        before = chained(before, link)
        assert row.chain == before, f"the chain breaks at {row.position}"


def assert_promises_are_kept(
    log: EventLog, rows: Sequence[Row], promised: Promised
) -> None:
    """Every 2xx is in the log, exactly once."""
    openings = Counter(
        entry.event.dedup_key
        for entry in map(log.entry, rows)
        if isinstance(entry.event, IncidentOpened)
    )
    doubled = {key: n for key, n in openings.items() if n != 1}
    assert not doubled
    assert set(promised.opened) <= set(openings)
    _assert_events_known(log, promised)
    _assert_commands_once(rows, promised)


def _assert_events_known(log: EventLog, promised: Promised) -> None:
    with log.transaction() as cursor:
        known = Counter(
            event_id
            for (event_id,) in cursor.execute("SELECT event_id FROM intake.requests")
        )
    assert set(promised.events) <= set(known)
    assert set(known.values()) <= {1}
    by_position = {row.position: row for row in all_rows(log)}
    for event_id, result in promised.events.items():
        if result["position"] is not None:
            row = by_position[result["position"]]
            assert row.stream == f"incident-{result['incident']}", event_id


def _assert_commands_once(rows: Sequence[Row], promised: Promised) -> None:
    positions: dict[object, list[int]] = {}
    for row in rows:
        if row.command_id is not None:
            positions.setdefault(row.command_id, []).append(row.position)
    told = {tuple(answer["positions"]) for answer in promised.commands.values()}
    assert len(told) == len(promised.commands), "two keys were told of one event"
    assert told <= {tuple(held) for held in positions.values()}
    # Each key informs once: as many events as keys that reached the log.
    assert all(len(held) == 1 for held in positions.values())


def assert_readers_arrive(log: EventLog) -> None:
    """Every reader reaches the head of the log with nothing set aside."""
    head = log.head().position
    schemas = [*READERS, *_read_models(log)]
    for schema, reader in schemas:
        query = (
            f"SELECT position, parked_streams FROM {schema}.tracking WHERE reader = %s"
        )

        def there(query: str = query, reader: str = reader) -> bool:
            with log.transaction() as cursor:
                row = cursor.execute(query, (reader,)).fetchone()
            return row is not None and row[0] >= head and row[1] == 0

        until(there, f"{schema}.{reader} is at {head}, nothing parked")


def _read_models(log: EventLog) -> list[tuple[str, str]]:
    with log.transaction() as cursor:
        return [(live(cursor, m).schema, m.name) for m in MODELS.values()]


def assert_read_models_equal_their_rebuild(desk: Desk) -> None:
    """Each read model says what a new one, built from the log, says."""
    dsn = desk.database.dsn("desk_projections")
    for model in MODELS.values():
        with builder(dsn, MASTER, model) as built:
            done = rebuild(built, real_clock, lambda *_: None)
        assert done.same, f"{model.name} differs from its rebuild"


def assert_stream_is_in_order(bus: Bus, head: int) -> None:
    """What is in `DESK_EVENTS` is each position once, in order, at least up to `head`.

    The log may have gone on meanwhile: timers come due without anybody asking.
    """
    found: list[int] = []

    def arrived() -> bool:
        try:
            found[:] = stream_positions(bus)
        except (Error, TimeoutError):
            return False  # a cluster that elects a leader loses requests
        return bool(found) and found[-1] >= head

    until(arrived, f"the relay reached {head}")
    assert found == list(range(found[0], found[-1] + 1))


def stream_positions(bus: Bus) -> list[int]:
    """Return the positions of the events in `DESK_EVENTS`, in its order."""

    async def read() -> list[int]:
        async with connected_to(bus.url("admin")) as client:
            js = client.jetstream()
            state = (await js.stream_info(subjects.EVENTS_STREAM)).state
            found: list[Any] = []
            if state.messages:
                sub = await js.subscribe(
                    subjects.EVENTS,
                    stream=subjects.EVENTS_STREAM,
                    ordered_consumer=True,
                )
                while len(found) < state.messages:
                    message = await sub.next_msg(timeout=ANSWER_SECONDS)
                    found.append(int((message.headers or {})["Desk-Position"]))
            return found

    return asyncio.run(read())
