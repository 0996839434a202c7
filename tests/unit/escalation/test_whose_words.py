"""Staff read who wrote what they read: the user, monitoring, or the desk."""

from datetime import timedelta

import pytest

from services.escalation.notifications.staff_notices import author_of
from shared.domain.events import AnyEvent
from shared.domain.events.incident import IncidentContacted
from shared.i18n.formats import LANGUAGES, Language, Reader
from shared.i18n.messages import say
from shared.i18n.staff_notices import Author, Handover, Page
from tests.support.histories import START, opened
from tests.support.notices import DUE

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


@pytest.mark.parametrize("language", LANGUAGES)
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
