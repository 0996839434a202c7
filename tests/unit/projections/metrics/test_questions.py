"""Waiting for a user is left out once they have received the question."""

import pytest

from services.projections.metrics.projection import step
from services.projections.metrics.state import IncidentState, Pause, State
from shared.domain import events
from tests.support.builders.promises import Watch, local

ASKED = {"reason": "user", "question": "Quel mois ?", "awaits_delivery": True}


@pytest.mark.parametrize(
    ("received", "pauses"),
    [
        (True, (Pause("user", local("10:30"), local("11:20")),)),
        (False, ()),
    ],
)
def test_a_pause_for_a_user_begins_with_the_delivery(
    *, received: bool, pauses: tuple[Pause, ...]
) -> None:
    watch = Watch(mails="wait")
    watch.opened("09:10")
    watch.happens("10:00", events.IncidentPaused, **ASKED)
    key = watch.requested("10:00", "question")
    (watch.delivered if received else watch.failed)("10:30", key)
    watch.happens("11:20", events.IncidentResumed, cause="reply")

    state: State | None = None
    for entry in watch.log:
        state = step(state, entry)

    assert isinstance(state, IncidentState)
    assert state.pauses == pauses
