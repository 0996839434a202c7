"""Staff read who wrote what they read: the user, monitoring, or the desk."""

from datetime import timedelta

import pytest

from services.escalation.notifications.recall import Recalled
from services.escalation.notifications.staff_notices import author_of, for_staff
from shared.domain.events import AnyEvent, IncidentEvent
from shared.domain.events.incident import (
    IncidentContacted,
    IncidentReminded,
    IncidentReminderSet,
)
from shared.domain.incident import replay
from shared.i18n.catalog import Language
from shared.i18n.formats import Reader
from shared.i18n.messages import say
from shared.i18n.staff_notices import Author, Handover, Page, Reminder
from tests.support.builders.notices import DUE
from tests.support.builders.promises import VALMONT
from tests.support.strategies.histories import START, opened

REF = "INC-000042"
ALERT = '{"alert": "node_down", "host": "web-3"}'
TOLD: dict[Language, dict[Author, str]] = {
    "en": {"user": "the user’s own words", "monitoring": "What monitoring sent"},
    "fr": {"user": "Les mots de l’utilisateur", "monitoring": "la supervision"},
}


def contacted(**more: object) -> IncidentContacted:
    whole = {
        "at": START + timedelta(minutes=5),
        "by": "person:nadia",
        "policy": 1,
        "incident": REF,
        "person": "roche",
        "direction": "inbound",
        "channel": "phone",
        "contacted_at": START + timedelta(minutes=5),
        "words": "It does not print.",
        **more,
    }
    return IncidentContacted.model_validate(whole)


@pytest.mark.parametrize(
    ("origin", "author"),
    [
        ("monitoring", "monitoring"),
        ("user", "user"),
        ("agent", "agent"),
        ("split", "agent"),
    ],
)
def test_who_opened_it_wrote_its_first_words(origin: str, author: Author) -> None:
    assert author_of([opened(REF, origin=origin, details=ALERT)]) == author


def test_a_user_who_calls_about_an_alert_is_who_is_read() -> None:
    history: list[AnyEvent] = [
        opened(REF, origin="monitoring", details=ALERT),
        contacted(),
    ]

    assert author_of(history) == "user"


@pytest.mark.parametrize("more", [{"unconfirmed": True}, {"words": None}])
def test_who_said_nothing_that_is_read_is_not_its_author(
    more: dict[str, object],
) -> None:
    history: list[AnyEvent] = [
        opened(REF, origin="monitoring", details=ALERT),
        contacted(**more),
    ]

    assert author_of(history) == "monitoring"


def test_a_reminder_has_the_last_note_of_who_asked_for_it() -> None:
    due_at = START + timedelta(hours=1)
    head = {"at": START, "by": "person:nadia", "incident": REF, "policy": 1}
    notes = (
        ("nadia", "first", 1),
        ("nadia", "call the vendor", 1),
        ("nadia", "another reminder", 2),
        ("paul", "his own", 1),
    )
    history: tuple[IncidentEvent, ...] = (
        opened(REF, service="paie"),
        *(
            IncidentReminderSet(
                **head, person=person, due_at=due_at, note=note, number=number
            )
            for person, note, number in notes
        ),
    )
    cause = IncidentReminded(**head, person="nadia", due_at=due_at)
    incident = replay(history)
    assert incident is not None

    notice = for_staff(Recalled(cause, incident, history, (), VALMONT), "fr", "")

    assert isinstance(notice, Reminder)
    assert (notice.incident, notice.note) == (REF, "call the vendor")
    assert (notice.service, notice.due_at) == ("Paie", due_at)


@pytest.mark.parametrize("language", TOLD)
@pytest.mark.parametrize("kind", ["page", "handover"])
def test_an_alert_is_not_called_the_words_of_a_user(
    language: Language, kind: str
) -> None:
    for author, words in TOLD[language].items():
        notice = (
            Page(REF, "Down", "p1", "Web", "n2", "on_call", "duty", 1, 1, ALERT)
            if kind == "page"
            else Handover(REF, "Down", "p1", "Web", DUE, words=ALERT)
        )
        whose = type(notice)(**{**vars(notice), "author": author})
        body = say(whose, Reader(language, "Europe/Paris"), "fr").body

        assert ALERT in body
        assert words in body
        assert sum(other in body for other in TOLD[language].values()) == 1
