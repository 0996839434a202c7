"""Owners of surveys and of actions hear once of what is to be followed up."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from services.escalation.notifications.channels.parcel import ByMail
from services.escalation.notifications.channels.retry import Failed
from services.escalation.owner_mail import store
from services.escalation.owner_mail.letters import OwnerLetters
from services.escalation.owner_mail.rules import REMINDED, requests_of
from shared.domain.events import EVENT_TYPES
from shared.domain.events.survey.results import (
    SurveyActionDone,
    SurveyActionOpened,
    SurveyPublished,
    SurveyResultEvent,
    SurveyWarned,
)
from shared.domain.identifiers import review_stream, survey_results_stream
from shared.eventlog.log import EventLog
from tests.support.builders.june_log import June
from tests.support.desks.api import MASTER
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

SURVEY = "voyageurs"
NOW = datetime(2025, 7, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)
MAY, JUNE = (datetime(2025, month, 30, 22, tzinfo=UTC) for month in (4, 5))
DUE = datetime(2025, 7, 11, 22, tzinfo=UTC)
TASK = "Rappeler sous une heure."
_DESK: dict[str, Any] = {"by": "system:intake", "survey": SURVEY, "policy": 1}


def warned(kind: str, at: datetime = NOW, action: int | None = None) -> SurveyWarned:
    about = {"kind": kind, "at": at, "action": action, "owner": "jos"}
    return SurveyWarned.model_validate({**_DESK, **about, "start": JUNE})


def opened(by: str = "ghislaine", at: datetime = NOW) -> SurveyActionOpened:
    who = f"person:{by}"
    about = {"action": 1, "start": JUNE, "owner": "jos", "due_at": DUE, "task": TASK}
    return SurveyActionOpened.model_validate(
        {"at": at, "by": who, "whose": who, "survey": SURVEY, **about}
    )


DONE = SurveyActionDone(at=NOW + DAY, by="person:jos", survey=SURVEY, action=1)
_EMPTY = {"invited": 9, "responded": 0, "n": 0, "questions": (), "groups": ()}
PUBLISHED = SurveyPublished.model_validate(
    {
        **_DESK,
        "at": NOW,
        "start": JUNE,
        "end": JUNE + 30 * DAY,
        "min_answers": 5,
        "results": _EMPTY,
    }
)


@pytest.fixture
def month(database: Database) -> Iterator[June]:
    month = June(database)
    with closing(month.log), psycopg.connect(database.owner_dsn) as owner:
        owner.execute(
            "INSERT INTO directory.people"
            " (id, name, email, language, updated_at, confirmed)"
            " VALUES ('jos', 'Jos', 'jos@desk.example', 'fr', now(), true)"
        )
        owner.commit()
        month.applied()
        yield month


@pytest.fixture
def log(month: June) -> Iterator[EventLog]:
    dsn = month.database.dsn("desk_escalation")
    with closing(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as opened:
        yield opened


def read(month: June, log: EventLog, *events: SurveyResultEvent) -> None:
    """Record events, and let the service read each of them twice."""
    month.log.record(survey_results_stream(SURVEY), 0, [*events])
    with log.transaction() as cursor:
        for event in (*events, *events):
            store.request(cursor, requests_of(event))


def sent(log: EventLog, now: datetime) -> list[ByMail | Failed]:
    """Take all mail that is due; return what would be sent."""
    letters = OwnerLetters(log, "https://desk.example")
    taken = []
    with log.transaction() as cursor:
        while request := store.take(cursor, now):
            taken.append(request)
            assert store.over(cursor, request, "250")
    return [letters.of(request, now) for request in taken]


def subjects(log: EventLog, now: datetime) -> list[str]:
    return [each.message.subject for each in sent(log, now) if isinstance(each, ByMail)]


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("not_asked", "L’enquête voyageurs n’a interrogé personne"),
        ("not_published", "Des résultats de l’enquête voyageurs ne sont pas publiés"),
    ],
)
def test_the_owner_of_a_survey_is_warned_once(
    month: June, log: EventLog, kind: str, subject: str
) -> None:
    read(month, log, warned(kind))

    (mail,) = sent(log, NOW)

    assert isinstance(mail, ByMail)
    assert (mail.to.address, mail.message.subject) == ("jos@desk.example", subject)
    assert "https://desk.example/surveys/voyageurs" in mail.message.body
    assert sent(log, NOW + 30 * DAY) == []


def test_the_owner_of_an_action_hears_of_it_is_reminded_and_told_that_it_is_late(
    month: June, log: EventLog
) -> None:
    read(month, log, opened(), warned("action_overdue", DUE, 1))

    (told,) = sent(log, NOW)
    assert isinstance(told, ByMail)
    assert TASK in told.message.body
    assert "vendredi 11 juillet 2025" in told.message.body
    (reminder,) = subjects(log, DUE - REMINDED)
    assert reminder.startswith("Rappel")
    (late,) = subjects(log, DUE)
    assert late.startswith("En retard")


def test_an_action_that_is_done_is_not_mailed_about(month: June, log: EventLog) -> None:
    read(month, log, opened(), DONE, warned("action_overdue", DUE, 1))

    assert subjects(log, DUE) == []


def test_results_that_were_published_meanwhile_are_not_warned_of(
    month: June, log: EventLog
) -> None:
    read(month, log, warned("not_published"), PUBLISHED)

    assert subjects(log, NOW) == []


def test_a_warning_of_long_ago_is_not_mailed_by_a_reader_that_begins_again(
    month: June, log: EventLog
) -> None:
    read(month, log, warned("not_asked", NOW - 8 * DAY))

    assert subjects(log, NOW) == []


@pytest.mark.parametrize(
    ("by", "days", "kinds"),
    [
        ("ghislaine", 10, ["action_opened", "action_due"]),
        ("jos", 10, ["action_due"]),
        ("ghislaine", 1, ["action_opened"]),
    ],
)
def test_nobody_is_told_what_they_wrote_or_reminded_of_what_is_due_at_once(
    by: str, days: int, kinds: list[str]
) -> None:
    found = [*requests_of(opened(by, DUE - days * DAY))]

    assert [each.kind for each in found] == kinds


INC = "INC-000042"


def of_review(type_: str, by: str = "ghislaine", **given: Any) -> Any:
    who = by if ":" in by else f"person:{by}"
    head = {"at": NOW, "by": who, "whose": who, "incident": INC}
    return EVENT_TYPES[type_].model_validate({**head, **given})


REVIEW: dict[str, Any] = {
    "policy": 1,
    "cause": "priority",
    "sections": ("summary",),
    "due_at": DUE,
}
ACTION: dict[str, Any] = {"action": 1, "owner": "jos", "due_at": DUE, "task": TASK}
LATE: dict[str, Any] = {"at": DUE, "by": "system:intake", "owner": "jos", "due_at": DUE}


def reviewed(month: June, log: EventLog, *events: Any) -> None:
    """Record events of a review, and let the service read each of them twice."""
    opened = of_review("review.opened", owner="jos", **REVIEW)
    month.log.record(review_stream(INC), 0, [opened, *events])
    with log.transaction() as cursor:
        for event in (opened, *events, opened, *events):
            store.request(cursor, requests_of(event))


def test_the_owner_of_a_review_is_told_and_warned_once(
    month: June, log: EventLog
) -> None:
    warned = of_review("review.warned", kind="review_overdue", **LATE)
    reviewed(month, log, warned)

    (told,) = sent(log, NOW)
    assert isinstance(told, ByMail)
    assert told.incident == INC
    assert told.message.subject == "La revue vous est confiée"
    assert f"https://desk.example/incidents/{INC}/review" in told.message.body
    assert subjects(log, DUE) == ["En retard\N{NO-BREAK SPACE}: la revue"]
    assert sent(log, DUE) == []


def test_the_owner_of_an_action_of_a_review_is_reminded_and_warned(
    month: June, log: EventLog
) -> None:
    warned = of_review("review.warned", kind="action_overdue", action=1, **LATE)
    reviewed(month, log, of_review("review.action_opened", **ACTION), warned)

    assert len(subjects(log, NOW)) == 2
    assert [each[:6] for each in subjects(log, DUE - REMINDED)] == ["Rappel"]
    (late,) = sent(log, DUE)
    assert isinstance(late, ByMail)
    assert TASK in late.message.body


@pytest.mark.parametrize(
    "ended",
    [
        of_review("review.action_done", action=1),
        of_review("review.action_dropped", action=1, reason="Le site ferme"),
        of_review(
            "review.action_assigned", **{**ACTION, "owner": "ines"}, reason="Absent"
        ),
    ],
    ids=["done", "dropped", "somebody else"],
)
def test_who_no_longer_owes_an_action_is_not_mailed_about_it(
    month: June, log: EventLog, ended: Any
) -> None:
    warned = of_review("review.warned", kind="action_overdue", action=1, **LATE)
    reviewed(month, log, of_review("review.action_opened", **ACTION), ended, warned)

    said = sent(log, DUE - REMINDED)
    said += sent(log, DUE)

    assert not [
        mail for mail in said if isinstance(mail, ByMail) and TASK in mail.message.body
    ]
