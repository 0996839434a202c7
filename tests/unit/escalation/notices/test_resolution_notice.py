"""Who is told that it is resolved reads until when they may say that it is not."""

from datetime import datetime

import pytest

from services.escalation.notifications.recall import Recalled
from services.escalation.notifications.user_notices import for_user
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentContacted,
    IncidentOpened,
    IncidentResolved,
)
from shared.domain.incident import replay
from shared.domain.policy.document import Policy
from shared.i18n.formats import Reader
from shared.i18n.messages import say
from tests.support.builders.promises import INCIDENT, VALMONT, local

FRIDAY = local("06-27 13:00")
RESOLVED = local("06-27 15:00")


def opened() -> IncidentOpened:
    return IncidentOpened(
        incident=INCIDENT,
        at=FRIDAY,
        by="person:paul",
        policy=1,
        whose="person:blanc",
        origin="user",
        reporter="blanc",
        title="Agenda décalé",
        service="messagerie",
        client="mairie-valmont",
        impact="medium",
        urgency="medium",
        priority="p3",
        team="desk",
        reported_at=FRIDAY,
    )


def resolved(version: int = 2, at: datetime = RESOLVED) -> IncidentResolved:
    return IncidentResolved(
        incident=INCIDENT, at=at, by="person:paul", policy=version, cycle=1, note="Fini"
    )


def body(zone: str, language: str, *history: IncidentEvent) -> str:
    """Return what Mme Blanc is told, where the desk waits longer from version 2 on."""
    incident = replay(history)
    assert incident is not None
    cause = next(e for e in history if isinstance(e, IncidentResolved))
    of = Recalled(cause, incident, history, (), VALMONT)
    policy_of = {1: VALMONT, 2: patient()}.__getitem__
    notice = for_user(of, "blanc", policy_of, lambda *_: "")
    return say(notice, Reader(language, zone), "fr").body


def patient(calendar: str | None = "paris") -> Policy:
    desk = VALMONT.desk.model_copy(update={"calendar": calendar})
    return VALMONT.model_copy(update={"desk": desk})


@pytest.mark.parametrize(
    ("zone", "language", "said"),
    [
        ("Europe/Paris", "fr", "nous le clôturerons le lundi 30 juin 2025 à 15"),
        ("America/Toronto", "en", "we will close it on Monday 30 June 2025 at 09:00"),
    ],
)
def test_the_instant_is_told_in_their_zone_and_language(
    zone: str, language: str, said: str
) -> None:
    assert said in body(zone, language, opened(), resolved())


def test_who_has_answered_already_is_not_told_of_silence() -> None:
    answered = IncidentContacted(
        incident=INCIDENT,
        at=RESOLVED,
        by="person:paul",
        policy=1,
        whose="person:blanc",
        direction="inbound",
        channel="phone",
        person="blanc",
        contacted_at=RESOLVED,
    )

    assert "clôturerons" not in body("UTC", "fr", opened(), resolved(), answered)
