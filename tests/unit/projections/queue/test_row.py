"""What the queue shows of an incident, where its order and counts need care."""

from dataclasses import fields
from datetime import timedelta

import pytest

from services.projections.queue.order import AWAITS_CLOSURE, rank, ranks
from services.projections.queue.projection import project
from services.projections.queue.row import QueueRow, with_own_reminders
from services.projections.queue.store import cells, columns, difference, from_columns
from services.projections.queue.tables import FIELDS, ROWS, Cell
from shared.domain.events.escalation import (
    Escalated,
    EscalationAccepted,
    EscalationAcknowledgementLapsed,
)
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentClosed,
    IncidentPaused,
    IncidentReminded,
    IncidentReminderCleared,
    IncidentReminderSet,
    IncidentResolved,
)
from shared.domain.events.incident_signals import IncidentSignalled
from shared.domain.incident import IN_STOCK, BrokenHistory, Status
from tests.support.strategies.histories import KEY, START, entry, numbered, opened

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


def test_everybody_sees_their_own_reminder_only() -> None:
    def set_by(person: str, minutes: int, number: int = 1) -> IncidentReminderSet:
        due_at = START + timedelta(minutes=minutes)
        return IncidentReminderSet(**_HEAD, person=person, due_at=due_at, number=number)

    reminded = {"person": "nadia", "due_at": START + timedelta(minutes=9)}
    row = _row(
        set_by("paul", 20),
        set_by("nadia", 5),
        set_by("nadia", 9),
        set_by("nadia", 30, 2),
        IncidentReminded.model_validate({**_HEAD, **reminded}),
    )

    seen = {
        person: with_own_reminders([row], person)[0].reminder_due
        for person in ("nadia", "paul", "ida", None)
    }
    assert seen["nadia"] == START + timedelta(minutes=9)
    assert seen["paul"] == START + timedelta(minutes=20)
    assert seen["ida"] is seen[None] is None

    cleared = {"person": "nadia", "cause": "agent"}
    after = project(
        row,
        entry(IncidentReminderCleared.model_validate({**_HEAD, **cleared}), 9, 9),
    )
    assert after is not None
    later = START + timedelta(minutes=30)
    assert with_own_reminders([after], "nadia")[0].reminder_due == later
    none_left = project(
        after,
        entry(
            IncidentReminderCleared.model_validate({**_HEAD, **cleared, "number": 2}),
            10,
            10,
        ),
    )
    assert none_left is not None
    assert with_own_reminders([none_left], "nadia")[0].reminder_due is None


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

    assert [f.name for f in fields(QueueRow)] == [each.name for each in FIELDS]
    assert len(stored) == len(ROWS.columns)
    assert stored[len(FIELDS)] == rank(row) == AWAITS_CLOSURE
    assert from_columns(stored[: len(FIELDS)]) == row


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


def test_nobody_has_an_incident_whose_acknowledgement_lapsed() -> None:
    common = {**_HEAD, "cycle": 1}
    at_n2 = {"from_level": "n1", "to_level": "n2", "team": "support"}
    escalated = Escalated.model_validate(
        common | at_n2 | {"cause": "by_hand", "escalated_at": START}
    )
    who = {"level": "n2", "person": "bruno"}
    accepted = EscalationAccepted.model_validate(common | who | {"how": "acknowledged"})
    lapsed = EscalationAcknowledgementLapsed.model_validate(
        common | who | {"lapsed_at": START}
    )

    assert _row(escalated, accepted).accepted_by == "bruno"
    assert _row(escalated, accepted, lapsed).accepted_by is None
