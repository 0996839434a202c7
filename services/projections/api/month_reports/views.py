"""Reads month reports for answers. What is not the reader's client does not exist."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.projections.api.desk import Desk
from services.projections.api.limits import RETRY_SECONDS
from services.projections.api.month_reports.schemas import (
    Approval,
    CommentView,
    Difference,
    EditionView,
    MonthReports,
    MonthReportView,
    ReportLine,
)
from services.projections.api.on_call.schedules import policy_now
from services.projections.api.position import known_to
from services.projections.metrics.definitions import DEFINITIONS
from services.projections.month_reports.figures import NotCounted, report_figures
from services.projections.read_models import METRICS
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from shared.database.cursors import Cursors
from shared.domain.events.month_report import ReportFigures
from shared.domain.limits import covers_client
from shared.domain.month_report import (
    REPORTED,
    SECTIONS,
    Comments,
    Edition,
    MonthReport,
    digest_of,
    month_before,
    period_of,
    versions_of,
)
from shared.domain.policy.contracts import MonthReports as Terms
from shared.domain.policy.document import Policy
from shared.http.problem_details import HttpError
from shared.month_reports import report_of, reports_of

CLIENTS_MAX = 500
"""The maximum number of clients in the list."""
STATEMENT_SECONDS_MAX = 5
_LIMIT = "SET LOCAL statement_timeout = '{}s'"


@dataclass(frozen=True, slots=True)
class About:
    """A client and a month, and what the caller sees."""

    client: str
    month: str
    sight: Sight


def clients_of(policy: Policy, sight: Sight) -> Sequence[str]:
    """Return the clients with a contract that are the reader's as a whole."""
    named = {each.client for each in policy.contracts.values()}
    return sorted(each for each in named if covers_client(sight.within, each))


def months_over(now: datetime, zone: ZoneInfo, most: int) -> Sequence[str]:
    """Return the last months that are over, the newest first."""
    month, found = now.astimezone(zone).date().isoformat()[:7], []
    for _ in range(most):
        month = month_before(month)
        found.append(month)
    return found


def listed(
    desk: Desk, sight: Sight, months: int, client: str | None, min_position: int
) -> MonthReports:
    """Return the reports of the last months. Blocks."""
    with snapshot(desk.log) as cursor:
        policy, upto = policy_now(desk, cursor, min_position)
        zone = ZoneInfo(policy.desk.timezone)
        clients = [
            each
            for each in clients_of(policy, sight)[:CLIENTS_MAX]
            if client in (None, each)
        ]
        names = [
            (each, month)
            for month in months_over(desk.clock(), zone, months)
            for each in clients
        ]
        found = reports_of(desk.log, cursor, names)
    lines = [_line(*name, found[name]) for name in names]
    return MonthReports(items=lines, zone=zone.key, as_of=upto)


def _line(client: str, month: str, held: MonthReport) -> ReportLine:
    last = held.last.published if held.last else None
    return ReportLine(
        client=client,
        month=month,
        state=held.state,
        comments=len(held.comments),
        edition=last.edition if last else None,
        published_at=last.at if last else None,
        published_by=last.by if last else None,
    )


def view(desk: Desk, about: About, min_position: int) -> MonthReportView:
    """Return a report as it is now. Blocks."""
    with snapshot(desk.log) as cursor:
        policy, upto = policy_now(desk, cursor, min_position)
        zone = ZoneInfo(policy.desk.timezone)
        held = report_of(desk.log, cursor, about.client, about.month)
        figures = _counted(desk, cursor, policy, about, held)
    start, end = period_of(about.month, zone)
    terms = policy.month_reports or Terms()
    return MonthReportView(
        client=about.client,
        month=about.month,
        from_=start,
        to=end,
        zone=zone.key,
        state=held.state,
        version=held.version,
        seen=digest_of(figures, versions_of(held.comments)),
        comments=_comments(held.comments),
        figures=figures,
        approved=_approval(held, figures),
        editions=[edition_view(each) for each in reversed(held.editions)],
        differences=[*_differences(held, about.month, figures)],
        definitions={name: DEFINITIONS[name].meaning for name in REPORTED},
        sections=SECTIONS,
        four_eyes=terms.four_eyes,
        contacts=list(terms.recipients(about.client)),
        as_of=upto,
    )


def counted(desk: Desk, about: About) -> ReportFigures:
    """Return the figures of a report as the log gives them now. Blocks."""
    with snapshot(desk.log) as cursor:
        policy, _ = policy_now(desk, cursor, 0)
        held = report_of(desk.log, cursor, about.client, about.month)
        return _counted(desk, cursor, policy, about, held)


def _counted(
    desk: Desk, cursor: Cursors, policy: Policy, about: About, held: MonthReport
) -> ReportFigures:
    known = {each.client for each in policy.contracts.values()}
    is_known = about.client in known or held.version > 0
    if not is_known or not covers_client(about.sight.within, about.client):
        raise HttpError(
            404,
            f"the policy has no contract with a client `{about.client}`",
            code="unknown_client",
        )
    now = desk.clock()
    if now < period_of(about.month, ZoneInfo(policy.desk.timezone))[1]:
        raise HttpError(
            404,
            "this month is not over yet: its report begins afterwards",
            code="unknown_report",
        )
    cursor.execute(_LIMIT.format(STATEMENT_SECONDS_MAX))
    name = (about.client, about.month)
    try:
        models = known_to(cursor, METRICS, 0)
        return report_figures(desk.log, cursor, models, name, now)
    except NotCounted as error:
        raise HttpError(
            503,
            "the metrics have not counted all of this month yet: ask again",
            code="behind",
            retry_after=RETRY_SECONDS,
        ) from error


def _comments(comments: Comments) -> dict[str, CommentView]:
    return {
        section: CommentView(text=each.text, by=each.by, at=each.at)
        for section, each in comments.items()
    }


def _approval(held: MonthReport, figures: ReportFigures) -> Approval | None:
    given = held.approved
    if given is None:
        return None
    is_current = digest_of(figures, given.comments) == digest_of(
        given.figures, given.comments
    )
    return Approval(by=given.by, at=given.at, is_current=is_current)


def edition_view(edition: Edition) -> EditionView:
    """Return an edition as it was published."""
    published = edition.published
    return EditionView(
        edition=published.edition,
        corrects=published.corrects,
        published_at=published.at,
        by=published.by,
        approved_by=published.approved_by,
        approved_at=published.approved_at,
        comments=_comments(edition.comments),
        figures=published.figures,
        recipients=list(published.recipients),
    )


def _differences(
    held: MonthReport, month: str, figures: ReportFigures
) -> Iterator[Difference]:
    if held.last is None:
        return
    published = held.last.published.figures
    for of, then, now in (
        (month, published.numbers, figures.numbers),
        (month_before(month), published.before, figures.before),
    ):
        for name in dict.fromkeys((*then, *now)):
            if then.get(name) != now.get(name):
                yield Difference(
                    month=of, number=name, then=then.get(name), now=now.get(name)
                )


def rows(found: MonthReportView) -> Iterator[Mapping[str, object]]:
    """Yield a line for each number: of the last edition, or else as it is now."""
    last = found.editions[0] if found.editions else None
    figures = last.figures if last else found.figures
    for section, metrics in SECTIONS.items():
        for name, value in figures.numbers.items():
            metric = name.partition(".")[0]
            if metric not in metrics:
                continue
            yield {
                "client": found.client,
                "month": found.month,
                "edition": last.edition if last else None,
                "section": section,
                "number": name,
                "value": value,
                "before": figures.before.get(name),
                "now": found.figures.numbers.get(name),
                "definition": figures.definitions[metric],
            }
