"""What a reader of the log makes of a hand-over's events."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.projections.handovers import Handover, Subject, replay
from shared.domain.events import events
from shared.eventlog.entry import Entry

AT = datetime(2025, 6, 30, 14, 10, tzinfo=UTC)
LATER = datetime(2025, 7, 1, 9, tzinfo=UTC)
_INCIDENT = {"cycle": 1, "breached_at": AT}
_SERVICE = {
    "cause": "breaches",
    "breaches": 3,
    "within_days": 30,
    "crossed_at": AT,
    "counted": (),
}
_REQUESTS: dict[Subject, tuple[str, dict[str, Any]]] = {
    "incident": ("handover.", _INCIDENT),
    "service": ("handover.service_", _SERVICE),
}


def told(subject: Subject, *later: tuple[str, dict[str, Any]]) -> Handover:
    """Return the hand-over after its request and what is recorded later."""
    prefix, words = _REQUESTS[subject]
    asked = {"policy": 1, "team": "problem", "answer_by": AT, **words}
    entries: list[Entry] = []
    for kind, given in (("requested", asked), *later):
        common = {"at": AT, "by": "system:escalation", "incident": "INC-000001"}
        document = {**common, "service": "paie", "type": f"{prefix}{kind}", **given}
        event, number = events.validate_python(document), len(entries) + 1
        stream = "handover-INC-000001"
        entries.append(Entry(number, stream, number, event.type, AT, None, event))
    handover = replay(entries, subject)
    assert handover is not None
    return handover


def test_what_came_later_is_proposed_beside_what_was_open_until_it_is_answered() -> (
    None
):
    open_then = ("requested", {**_INCIDENT, "policy": 1, "team": "problem"})
    open_then[1]["proposed"] = ("PRB-000002", "PRB-000005")
    came = ("proposed", {"problem": "PRB-000009"})
    waiting = told("incident", open_then, came)
    answered = told("incident", open_then, came, ("joined", {"problem": "PRB-000005"}))

    assert waiting.proposed == ("PRB-000002", "PRB-000005", "PRB-000009")
    assert waiting.awaits
    assert (answered.problem, answered.proposed) == ("PRB-000005", ())


@pytest.mark.parametrize("subject", _REQUESTS)
@pytest.mark.parametrize("how", ["accepted", "joined"])
def test_an_answer_that_was_undone_is_awaited_in_no_problem(
    subject: Subject, how: str
) -> None:
    problem = {"problem": "PRB-000002"}
    answered = told(subject, (how, problem))
    undone = told(subject, (how, problem), ("reopened", problem | {"answer_by": LATER}))

    assert (answered.awaits, answered.problem) == (False, "PRB-000002")
    assert (undone.awaits, undone.problem) == (True, None)
    assert (undone.state, undone.answer_by) == ("requested", LATER)
