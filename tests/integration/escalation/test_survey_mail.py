"""Mail about surveys is requested once, and withdrawn once it is not needed."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.queued_messages import AGAIN
from services.escalation.survey_mail import store
from services.escalation.survey_mail.letters import SurveyLetters
from services.escalation.survey_mail.store import SurveyRequest
from shared.domain.events import SurveyAnswered, SurveyInvited
from shared.domain.identifiers import survey_stream
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from tests.support.key_ring import MASTER
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

INC = "INC-000042"
NOW = datetime(2025, 7, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)
_ABOUT = {"survey": "after", "version": "v1", "incident": INC, "person": "lefevre"}
INVITED = SurveyInvited.model_validate(
    {
        **_ABOUT,
        "at": NOW,
        "by": "system:intake",
        "policy": 1,
        "expires_at": NOW + 10 * DAY,
        "remind_at": NOW + 5 * DAY,
        "service": "mail",
        "team": "desk",
    }
)
ANSWERED = SurveyAnswered.model_validate(
    {**_ABOUT, "at": NOW + DAY, "by": "person:lefevre", "choices": {"ok": 5}}
)


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    dsn = database.dsn("desk_escalation")
    with closing(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as opened:
        yield opened


def follow(log: EventLog, *events: SurveyInvited | SurveyAnswered) -> None:
    with log.transaction() as cursor:
        for number, each in enumerate(events, 1):
            stream = survey_stream(INC)
            entry = Entry(number, stream, number, each.type, each.at, None, each)
            store.note(cursor, entry)


def sent(log: EventLog, now: datetime) -> list[str]:
    """Take all mail that is due, as if each was delivered; return the kinds."""
    kinds: list[str] = []
    with log.transaction() as cursor:
        while request := store.take(cursor, now):
            kinds.append(request.kind)
            store.over(cursor, request, "250")
    return kinds


def test_a_user_gets_one_invitation_and_one_reminder(log: EventLog) -> None:
    follow(log, INVITED)
    follow(log, INVITED)

    assert sent(log, NOW) == ["invitation"]
    assert sent(log, NOW + 4 * DAY) == []
    follow(log, INVITED)
    assert sent(log, NOW + 9 * DAY) == ["reminder"]
    assert sent(log, NOW + 9 * DAY) == []


def test_a_reminder_waits_for_an_invitation_that_could_not_be_sent(
    log: EventLog,
) -> None:
    follow(log, INVITED)
    with log.transaction() as cursor:
        invitation = store.take(cursor, NOW + 6 * DAY)
        assert invitation is not None
        assert store.take(cursor, NOW + 6 * DAY) is None
        assert store.over(cursor, invitation, "250")
        reminder = store.take(cursor, NOW + 6 * DAY)

    assert (invitation.kind, reminder and reminder.kind) == ("invitation", "reminder")


def test_who_has_answered_is_not_reminded(log: EventLog) -> None:
    follow(log, INVITED)
    assert sent(log, NOW) == ["invitation"]
    follow(log, INVITED, ANSWERED)

    assert sent(log, NOW + 9 * DAY) == []


def test_a_sender_that_was_frozen_does_not_write_over_its_successor(
    log: EventLog,
) -> None:
    follow(log, INVITED)
    with log.transaction() as cursor:
        frozen = store.take(cursor, NOW)
        successor = store.take(cursor, NOW + AGAIN)
        assert frozen is not None
        assert successor is not None

        assert not store.over(cursor, frozen, "it thawed")
        assert not store.again(cursor, frozen, NOW)
        assert store.over(cursor, successor, "250")


@pytest.mark.parametrize(("days", "answers"), [(10, False), (1, True)])
def test_nothing_is_mailed_once_the_time_is_over_or_there_is_an_answer(
    log: EventLog, database: Database, days: int, answers: bool
) -> None:
    owner = EventLog.open(database.owner_dsn, master=MASTER, clock=lambda: NOW)
    owner.record(survey_stream(INC), 0, [INVITED, *([ANSWERED] if answers else [])])
    owner.close()
    letters = SurveyLetters(log, "https://desk.example")

    outcome = letters.of(SurveyRequest(INC, "reminder", NOW), NOW + days * DAY)

    assert isinstance(outcome, Failed)
    assert outcome.permanent
