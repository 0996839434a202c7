"""Who comments on, approves and publishes the month report of a client."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from services.intake.month_reports.rules import (
    Author,
    approved,
    commented,
    published,
    recipients,
)
from shared.domain.commands.month_report import (
    ApproveMonthReport,
    CommentMonthReport,
    PublishMonthReport,
)
from shared.domain.events.month_report import (
    MonthReportApproved,
    MonthReportCommented,
    MonthReportEvent,
    MonthReportPublished,
    ReportFigures,
)
from shared.domain.limits import Limits, Within
from shared.domain.month_report import (
    MonthReport,
    digest_of,
    replay_report,
    versions_of,
)
from shared.domain.policy.contracts import MonthReports
from shared.domain.refusal import Refused
from shared.messaging.commands import Scope
from tests.support.policies import full

NOW = datetime(2025, 7, 1, 6, tzinfo=UTC)
ABOUT = {"client": "ville-de-mons", "month": "2025-06"}
FIGURES = ReportFigures(
    position=7,
    numbers={"balance.closed": 3, "satisfaction.share": None},
    before={"balance.closed": 2, "satisfaction.share": 0.8},
    definitions={"balance": "0a1b2c3d4e5f"},
)
OTHER = FIGURES.model_copy(update={"numbers": {"balance.closed": 4}})
LATER = FIGURES.model_copy(update={"position": 99})
_EVERYTHING: Mapping[Scope, Within] = {"manager": None}
_CLIENTS: Mapping[str, str | None] = {}


def who(
    by: str = "person:odette",
    at: datetime = NOW,
    rights: Mapping[Scope, Within] = _EVERYTHING,
    terms: MonthReports | None = None,
) -> Author:
    policy = full().model_copy(update={"month_reports": terms})
    return Author(by, at, rights, policy, 3)


def within(*clients: str, services: frozenset[str] | None = None) -> Within:
    return (Limits(frozenset(clients), services),)


def after(*events: MonthReportEvent) -> MonthReport:
    return replay_report(zip(count(1), events))


def comment(
    held: MonthReport | None = None, by: Author | None = None, **given: Any
) -> MonthReportCommented | None:
    body = {**ABOUT, "section": "overall", "text": "A calm month.", **given}
    command = CommentMonthReport.model_validate(body)
    return commented(command, held or MonthReport(), by or who("person:nadia"))


def approve(
    held: MonthReport,
    by: Author | None = None,
    figures: ReportFigures = FIGURES,
    seen: str | None = None,
) -> MonthReportApproved | None:
    read = seen or digest_of(figures, versions_of(held.comments))
    command = ApproveMonthReport(
        client="ville-de-mons", month="2025-06", seen=read, figures=figures
    )
    return approved(command, held, by or who())


def publish(
    held: MonthReport,
    by: Author | None = None,
    figures: ReportFigures = FIGURES,
    clients: Mapping[str, str | None] = _CLIENTS,
) -> MonthReportPublished | None:
    command = PublishMonthReport(
        client="ville-de-mons", month="2025-06", figures=figures
    )
    return published(command, held, by or who(), clients)


def written() -> list[MonthReportEvent]:
    found = comment()
    assert found is not None
    return [found]


def ready() -> list[MonthReportEvent]:
    events = written()
    found = approve(after(*events))
    assert found is not None
    return [*events, found]


def out() -> list[MonthReportEvent]:
    events = ready()
    found = publish(after(*events), figures=LATER)
    assert found is not None
    return [*events, found]


def test_a_comment_counts_once_and_is_its_authors() -> None:
    (said,) = written()

    assert (said.by, said.whose) == ("person:nadia", "person:nadia")
    assert comment(after(said)) is None
    assert comment(after(said), text=None) is not None


@pytest.mark.parametrize(
    ("rights", "at", "client", "words"),
    [
        (
            _EVERYTHING,
            NOW - timedelta(hours=8, minutes=1),
            "ville-de-mons",
            "not over yet",
        ),
        (_EVERYTHING, NOW, "nowhere", "no contract with a client `nowhere`"),
        (
            {"agent": within("fret-lusitania")},
            NOW,
            "ville-de-mons",
            "no contract with a client",
        ),
        (
            {"agent": within("ville-de-mons", services=frozenset({"horaires"}))},
            NOW,
            "ville-de-mons",
            "no contract with a client",
        ),
    ],
)
def test_a_report_is_of_a_month_that_is_over_and_of_a_whole_client(
    rights: Mapping[Scope, Within], at: datetime, client: str, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        comment(by=who(at=at, rights=rights), client=client)


def test_somebody_with_rights_for_this_client_alone_may_write() -> None:
    assert comment(by=who(rights={"agent": within("ville-de-mons")}))


def test_who_wrote_a_comment_does_not_approve_it_unless_the_policy_says_so() -> None:
    held = after(*written())
    author = "person:nadia"

    with pytest.raises(Refused, match="somebody else has to approve it"):
        approve(held, who(author))
    assert approve(held, who(author, terms=MonthReports(four_eyes=False)))


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        ({"agent": None}, "only a manager of this client"),
        (
            {"manager": within("fret-lusitania"), "agent": None},
            "only a manager of this client",
        ),
    ],
)
def test_only_a_manager_of_the_client_approves_and_publishes(
    rights: Mapping[Scope, Within], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        approve(after(*written()), who(rights=rights))
    with pytest.raises(Refused, match=words):
        publish(after(*ready()), who(rights=rights))


def test_an_approval_is_of_what_was_read() -> None:
    held = after(*written())
    read = digest_of(FIGURES, versions_of(held.comments))
    meanwhile = after(*written(), *written())

    with pytest.raises(Refused, match="have changed since you read them"):
        approve(held, figures=OTHER, seen=read)
    with pytest.raises(Refused, match="have changed since you read them"):
        approve(meanwhile, seen=read)
    assert approve(held, figures=LATER, seen=read)


def test_figures_alone_are_not_a_report() -> None:
    section = comment(section="promises")
    assert section is not None

    with pytest.raises(Refused, match="no comment as a whole"):
        approve(after(section))


def test_a_comment_ends_an_approval() -> None:
    said = comment(section="times", text="Quick.")
    assert said is not None
    held = after(*ready(), said)

    assert held.state == "draft"
    with pytest.raises(Refused, match="approve it first"):
        publish(held)


def test_nothing_is_published_that_was_not_approved() -> None:
    with pytest.raises(Refused, match="approve it first"):
        publish(after(*written()))
    with pytest.raises(Refused, match="other figures than those that were approved"):
        publish(after(*ready()), figures=OTHER)


def test_what_was_approved_is_published_once() -> None:
    events = out()
    edition = events[-1]

    assert isinstance(edition, MonthReportPublished)
    assert (edition.edition, edition.corrects) == (1, None)
    assert (edition.figures, edition.comments) == (FIGURES, {"overall": 1})
    assert edition.start == datetime(2025, 5, 31, 22, tzinfo=UTC)
    assert edition.end == datetime(2025, 6, 30, 22, tzinfo=UTC)
    held = after(*events)
    assert held.state == "published"
    assert publish(held, figures=LATER) is None
    assert approve(held, figures=LATER) is None


def test_a_corrected_edition_names_the_one_that_it_corrects() -> None:
    first = out()
    again = approve(after(*first), figures=OTHER)
    assert again is not None
    second = publish(after(*first, again), figures=OTHER)

    assert second is not None
    assert (second.edition, second.corrects) == (2, 1)
    held = after(*first, again, second)
    assert [each.published.figures for each in held.editions] == [FIGURES, OTHER]


def test_a_report_is_sent_to_nobody_of_another_client() -> None:
    terms = MonthReports(
        contacts={"ville-de-mons": ("costa", "roche", "away", "costa")}
    )
    known = {"costa": "ville-de-mons", "roche": "fret-lusitania", "zoe": None}

    assert recipients("ville-de-mons", terms, known) == ("costa",)
    assert recipients("fret-lusitania", terms, known) == ()


def test_figures_are_those_of_a_report() -> None:
    dwell = FIGURES.model_copy(update={"numbers": {"dwell.n1.total": 3}})

    with pytest.raises(Refused, match="not the figures of a month report"):
        approve(after(*written()), figures=dwell)
