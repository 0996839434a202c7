"""What promises and escalation make of an incident's row in the queue."""

from datetime import timedelta

import pytest

from services.projections.queue.order import BREACHED, rank
from services.projections.queue.projection import project
from services.projections.queue.row import QueueRow
from shared.domain.events.incident import IncidentAssigned, IncidentReopened
from shared.domain.incident import BrokenHistory
from shared.eventlog.entry import Entry
from tests.support.builders.promise_events import armed, breached, minute, told
from tests.support.strategies.histories import START, opened
from tests.support.strategies.interleaved_streams import AboutIncident, stream_of

_REF = "INC-000001"
_HEAD = {"at": START, "by": "person:paul", "incident": _REF, "policy": 1}
_REOPENED = IncidentReopened.model_validate(
    {**_HEAD, "cycle": 2, "cause": "user", "after_closure": False}
)


def _row(*events: AboutIncident) -> QueueRow:
    row = None
    for position, event in enumerate([opened(_REF), *events], start=1):
        at = START + timedelta(minutes=position)
        stream = stream_of(event)
        entry = Entry(position, stream, position, event.type, at, None, event)
        row = project(row, entry)
    assert row
    return row


def _done(kind: str, target: str) -> AboutIncident:
    instants = {
        name: minute(5) for name in ("met_at", "done_at", "cancelled_at", "paused_at")
    }
    return told(kind, _REF, target=target, **instants)


def test_the_first_promise_to_be_due_is_shown() -> None:
    row = _row(armed(_REF, "ttr", 240), armed(_REF, "tto", 15))

    assert (row.due_target, row.due_at) == ("tto", minute(15))
    assert not row.breached


@pytest.mark.parametrize("kind", ["sla.met", "sla.overran", "sla.cancelled"])
def test_a_promise_that_ended_is_due_no_more(kind: str) -> None:
    row = _row(armed(_REF, "tto", 15), armed(_REF, "ttr", 240), _done(kind, "tto"))

    assert (row.due_target, row.due_at) == ("ttr", minute(240))


def test_a_promise_that_is_paused_is_not_due() -> None:
    row = _row(armed(_REF, "ttr", 240), _done("sla.paused", "ttr"))

    assert row.due_at is None
    assert row.due_target is None


@pytest.mark.parametrize(
    ("kind", "given", "left"),
    [
        ("sla.resumed", {"due_at": minute(300)}, None),
        ("sla.retargeted", {"seconds": 7_200, "was_seconds": 3_600}, 7_140),
        ("sla.retargeted", {"seconds": 30, "was_seconds": 3_600}, 0),
        ("sla.cancelled", {"cancelled_at": minute(5)}, None),
    ],
)
def test_a_promise_that_is_paused_leaves_what_it_had(
    kind: str, given: dict[str, object], left: int | None
) -> None:
    paused = (armed(_REF, "ttr", 240), _done("sla.paused", "ttr"))
    instants = {"resumed_at": minute(6), "retargeted_at": minute(6)}

    assert _row(*paused).ttr_left == 3_540
    event = told(kind, _REF, target="ttr", **{**instants, **given})
    assert _row(*paused, event).ttr_left == left


def test_a_broken_promise_stays_due_also_while_paused() -> None:
    row = _row(
        armed(_REF, "ttr", 240), breached(_REF, "ttr", 240), _done("sla.paused", "ttr")
    )

    assert row.due_at == minute(240)
    assert rank(row) == BREACHED


def test_a_broken_promise_stays_broken_once_it_is_kept_late() -> None:
    row = _row(
        armed(_REF, "tto", 15), breached(_REF, "tto", 15), _done("sla.overran", "tto")
    )

    assert row.due_at is None
    assert row.breached


def test_what_was_to_be_told_is_no_promise_of_the_queue() -> None:
    row = _row(armed(_REF, "update", 15), breached(_REF, "update", 15))

    assert row.due_at is None
    assert not row.breached


def test_a_new_cycle_begins_without_what_was_broken_before() -> None:
    before = (armed(_REF, "ttr", 240), breached(_REF, "ttr", 240), _REOPENED)

    assert not _row(*before).breached
    assert _row(*before).due_at is None
    again = _row(*before, armed(_REF, "tto", 500, cycle=2))
    assert again.due_at == minute(500)
    late = _row(*before, armed(_REF, "tto", 500, cycle=2), breached(_REF, "ttr", 240))
    assert not late.breached


def test_an_escalation_gives_level_and_team_and_waits_for_somebody_to_accept() -> None:
    row = _row(told("escalation.escalated", _REF))
    taken = _row(told("escalation.escalated", _REF), told("escalation.accepted", _REF))

    assert (row.level, row.team, row.accepted_by) == ("n2", "network", None)
    assert taken.accepted_by == "amina"


def test_a_return_gives_level_and_team_back_and_takes_it_from_whoever_accepted() -> (
    None
):
    up, taken = told("escalation.escalated", _REF), told("escalation.accepted", _REF)
    given = IncidentAssigned.model_validate({**_HEAD, "team": "desk", "reason": "Ours"})
    row = _row(up, taken, given, told("escalation.returned", _REF))
    again = _row(up, taken, given, told("escalation.returned", _REF), up)

    assert (row.level, row.team, row.accepted_by) == ("n1", "desk", None)
    assert (again.level, again.team, again.accepted_by) == ("n2", "network", None)


def test_of_an_escalation_and_an_assignment_the_later_says_whose_work_it_is() -> None:
    given = IncidentAssigned.model_validate({**_HEAD, "team": "studies"})
    up = told("escalation.escalated", _REF)

    assert _row(given, up).team == "network"
    assert _row(up, given).team == "studies"
    assert _row(up, given).level == "n2"


def test_a_new_cycle_begins_at_the_desk_again() -> None:
    row = _row(
        told("escalation.escalated", _REF), told("escalation.accepted", _REF), _REOPENED
    )

    assert (row.level, row.team, row.accepted_by) == ("n1", "desk", None)


def test_reopened_above_the_desk_it_is_at_the_desk_in_team_and_level() -> None:
    above = IncidentAssigned.model_validate({**_HEAD, "team": "studies"})
    back = IncidentAssigned.model_validate({**_HEAD, "team": "desk"})
    row = _row(told("escalation.escalated", _REF), above, _REOPENED, back)

    assert (row.level, row.team, row.assignee) == ("n1", "desk", None)


def test_what_a_person_reported_is_told_apart() -> None:
    assert not _row().user_reported
    first = told(
        "incident.contacted",
        _REF,
        person="lefevre",
        direction="inbound",
        channel="phone",
        contacted_at=START,
    )
    assert _row(first).user_reported


def test_a_promise_about_what_was_never_opened_is_a_broken_history() -> None:
    event = armed(_REF, "tto", 15)
    entry = Entry(1, stream_of(event), 1, event.type, START, None, event)

    with pytest.raises(BrokenHistory, match=r"before incident\.opened"):
        project(None, entry)


def test_what_support_levels_owe_is_nothing_to_the_queue() -> None:
    plain = _row(armed(_REF, "ttr", 240))
    owed = _row(
        armed(_REF, "ttr", 240),
        armed(_REF, "ola_n2_own", 5),
        breached(_REF, "ola_n2_own", 5),
    )

    assert owed == plain
    assert (owed.breached, rank(owed)) == (False, rank(plain))
