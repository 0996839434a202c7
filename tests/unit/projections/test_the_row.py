"""What the queue shows of an incident, where its order and counts need care."""

from dataclasses import fields
from datetime import timedelta

import pytest

from services.projections.queue.projection import project
from services.projections.queue.row import AWAITS_CLOSURE, QueueRow, rank, ranks
from services.projections.queue.store import (
    COLUMNS,
    Cell,
    cells,
    columns,
    difference,
    from_columns,
)
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentClosed,
    IncidentPaused,
    IncidentResolved,
)
from shared.domain.events.incident_signals import IncidentSignalled
from shared.domain.incident import IN_STOCK, BrokenHistory, Status
from tests.support.histories import KEY, START, entry, numbered, opened

_HEAD = {"at": START, "by": "person:paul", "incident": "INC-000001", "policy": 1}


def _row(*events: object) -> QueueRow:
    row = None
    history = [opened("INC-000001"), *events]
    for one in numbered(history):  # type: ignore[arg-type] # only such are given
        row = project(row, one)
    assert row
    return row


def test_an_event_before_the_opening_one_is_a_broken_history() -> None:
    closed = IncidentClosed.model_validate(_HEAD)

    with pytest.raises(BrokenHistory, match=r"before incident\.opened"):
        project(None, entry(closed, 1, 1))


def test_an_incident_opened_twice_is_a_broken_history() -> None:
    with pytest.raises(BrokenHistory, match="opened twice"):
        _row(opened("INC-000001"))


def test_repeats_add_up() -> None:
    told = {**_HEAD, "source": "prom", "signal_key": KEY, "last_at": START}
    signals = [
        IncidentSignalled.model_validate({**told, "repeats": n}) for n in (3, 0, 4)
    ]

    assert _row(*signals).repeats == 7


def test_an_incident_acknowledged_while_paused_stays_paused() -> None:
    row = _row(
        IncidentPaused.model_validate({**_HEAD, "reason": "vendor"}),
        IncidentAcknowledged.model_validate(_HEAD),
    )

    assert row.status is Status.PAUSED
    assert row.pause_reason == "vendor"
    assert row.acknowledged_at == START


def test_each_change_moves_position_version_and_the_time_of_the_last_change() -> None:
    row = project(_row(), entry(IncidentClosed.model_validate(_HEAD), 9, 2, START))

    assert row
    assert (row.position, row.version, row.updated_at) == (9, 2, START)


def test_every_status_in_stock_has_a_rank_and_no_other() -> None:
    assert {status for status in Status if ranks(status)} == IN_STOCK
    assert ranks(Status.RESOLVED) == {AWAITS_CLOSURE}


def test_a_row_is_stored_in_the_order_of_its_columns_and_comes_back() -> None:
    row = _row(IncidentResolved.model_validate({**_HEAD, "cycle": 1}))

    stored = columns(row)

    assert tuple(f.name for f in fields(QueueRow)) == COLUMNS[:-6]
    assert len(stored) == len(COLUMNS)
    assert stored[-6] == rank(row) == AWAITS_CLOSURE
    assert from_columns(stored[:-6]) == row


def test_an_open_incident_counts_once_for_all_for_its_team_and_for_its_assignee() -> (
    None
):
    given = {**_HEAD, "team": "network", "assignee": "amina"}
    row = _row(IncidentAssigned.model_validate(given))

    assert {cell.queue for cell in cells(row)} == {
        "all",
        "team:network",
        "person:amina",
    }


def test_an_ended_incident_counts_nowhere() -> None:
    at = START + timedelta(minutes=1)

    assert cells(_row(IncidentClosed.model_validate({**_HEAD, "at": at}))) == ()


def test_only_what_differs_moves_a_count() -> None:
    before = _row()
    after = _row(IncidentAcknowledged.model_validate(_HEAD))

    moved = difference([(before, after), (None, before), (before, before)])

    assert moved == {
        Cell(queue, "acknowledged", "p3", False): 1
        for queue in ("all", "team:desk", "unassigned")
    }
