"""Contacts of a client are sent an edition once, and nobody else reads it."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from services.escalation.month_report_mail import store
from services.escalation.month_report_mail.letters import MonthReportLetters
from services.escalation.notifications.channels.parcel import ByMail
from services.escalation.notifications.channels.retry import Failed
from shared.domain.events.month_report import (
    MonthReportApproved,
    MonthReportCommented,
    MonthReportEvent,
    MonthReportPublished,
)
from shared.domain.identifiers import month_report_stream
from shared.eventlog.log import EventLog
from shared.month_reports import edition_behind
from shared.security.signed_links import (
    REPORT_LINK_VALID,
    REPORT_LINKS_PURPOSE,
    ReportLink,
    read_report_token,
)
from tests.support.builders.june_log import June
from tests.support.desks.api import MASTER
from tests.support.policies import FULL
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

NOW = datetime(2025, 7, 1, 8, tzinfo=UTC)
ABOUT = {"client": "ville-de-mons", "month": "2025-06", "at": NOW}
CONTACT = "echevine.mobilite"
EDITION = "ville-de-mons.2025-06.1"
_FIGURES = {"position": 1, "numbers": {}, "before": {}, "definitions": {}}
COMMENTED = MonthReportCommented.model_validate(
    {
        **ABOUT,
        "by": "person:paul",
        "whose": "person:paul",
        "section": "overall",
        "text": "Un mois calme.",
    }
)
APPROVED = MonthReportApproved.model_validate(
    {
        **ABOUT,
        "by": "person:odette",
        "policy": 1,
        "comments": {"overall": 1},
        "figures": _FIGURES,
    }
)
PUBLISHED = MonthReportPublished.model_validate(
    {
        **APPROVED.model_dump(exclude={"type"}),
        "start": NOW - timedelta(days=30),
        "end": NOW,
        "edition": 1,
        "approved_by": "person:odette",
        "approved_at": NOW,
        "recipients": (CONTACT,),
    }
)


@pytest.fixture
def month(database: Database) -> Iterator[June]:
    month = June(database)
    with closing(month.log), psycopg.connect(database.owner_dsn) as owner:
        owner.execute(
            "INSERT INTO directory.people"
            " (id, name, email, language, client, updated_at, confirmed)"
            " VALUES (%s, 'Ana', 'ana@mons.example', 'fr', 'ville-de-mons', now(),"
            " true)",
            (CONTACT,),
        )
        owner.commit()
        month.applied()
        yield month


@pytest.fixture
def log(month: June) -> Iterator[EventLog]:
    dsn = month.database.dsn("desk_escalation")
    with closing(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as opened:
        yield opened


def read(month: June, log: EventLog, *events: MonthReportEvent) -> None:
    """Record events, and let the service read each of them twice."""
    stream = month_report_stream("ville-de-mons", "2025-06")
    entries = month.log.record(stream, 0, [*events])
    with log.transaction() as cursor:
        for entry in (*entries, *entries):
            store.note(cursor, entry)


def moved(database: Database, client: str | None, email: str | None) -> None:
    with psycopg.connect(database.owner_dsn) as owner:
        owner.execute(
            "UPDATE directory.people SET client = %s, email = %s WHERE id = %s",
            (client, email, CONTACT),
        )


def sent(log: EventLog, now: datetime = NOW) -> list[ByMail | Failed]:
    """Take all mail that is due; return what would be sent."""
    letters = MonthReportLetters(log, "https://desk.example")
    taken = []
    with log.transaction() as cursor:
        while request := store.take(cursor, now):
            taken.append(request)
            assert store.over(cursor, request, "250")
    return [letters.of(request, now) for request in taken]


def token_in(mail: ByMail) -> str:
    (line,) = [each for each in mail.message.body.split() if "/month-report/" in each]
    return line.rpartition("/")[2]


def test_nobody_is_mailed_before_the_report_is_published(
    month: June, log: EventLog
) -> None:
    read(month, log, COMMENTED, APPROVED)

    assert sent(log) == []


def test_a_contact_is_sent_an_edition_once_with_a_link_that_is_theirs(
    month: June, log: EventLog
) -> None:
    read(month, log, COMMENTED, APPROVED, PUBLISHED)

    (mail,) = sent(log)

    assert isinstance(mail, ByMail)
    assert mail.to.address == "ana@mons.example"
    assert mail.message.subject == "Rapport de service pour juin 2025"
    assert sent(log, NOW + timedelta(days=30)) == []
    keys = log.vault.keys_for(REPORT_LINKS_PURPOSE)
    link = read_report_token(keys, token_in(mail))
    assert link == ReportLink(EDITION, CONTACT, NOW + REPORT_LINK_VALID)
    with log.transaction() as cursor:
        edition = edition_behind(log, cursor, link, NOW)
        assert edition is not None
        assert edition.comments["overall"].text == "Un mois calme."
        other = link._replace(until=link.until + timedelta(seconds=1))
        assert edition_behind(log, cursor, other, NOW) is None
        assert edition_behind(log, cursor, link, link.until) is None


def test_a_corrected_edition_says_which_one_it_replaces(
    month: June, log: EventLog
) -> None:
    again = {"edition": 2, "corrects": 1, "recipients": (CONTACT,)}
    second = PUBLISHED.model_copy(update=again)
    first = PUBLISHED.model_copy(update={"recipients": ()})
    read(month, log, COMMENTED, APPROVED, first, second)

    (mail,) = sent(log)

    assert isinstance(mail, ByMail)
    assert mail.message.subject == "Rapport de service corrigé pour juin 2025"
    assert "Il remplace l’édition 1" in mail.message.body


@pytest.mark.parametrize(
    ("client", "email", "policy"),
    [
        ("fret-lusitania", "ana@fret.example", ""),
        ("ville-de-mons", None, ""),
        ("ville-de-mons", "ana@mons.example", "{contacts: {ville-de-mons: [zoe]}}"),
    ],
)
def test_somebody_who_is_no_contact_any_more_is_sent_nothing_and_reads_nothing(
    month: June, log: EventLog, client: str, email: str | None, policy: str
) -> None:
    read(month, log, COMMENTED, APPROVED, PUBLISHED)
    moved(month.database, client, email)
    if policy:
        month.now = NOW
        before = "{four_eyes: true, contacts: {ville-de-mons: [echevine.mobilite]}}"
        month.applied(FULL.replace(before, policy))

    assert [type(each) for each in sent(log)] == [Failed]
    link = ReportLink(EDITION, CONTACT, NOW + REPORT_LINK_VALID)
    with log.transaction() as cursor:
        assert edition_behind(log, cursor, link, NOW) is None


def test_a_link_is_for_its_own_reader(month: June, log: EventLog) -> None:
    read(month, log, COMMENTED, APPROVED, PUBLISHED)
    link = ReportLink(EDITION, "zoe", NOW + REPORT_LINK_VALID)

    with log.transaction() as cursor:
        assert edition_behind(log, cursor, link, NOW) is None
