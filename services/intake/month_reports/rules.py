"""Decides who comments on, approves and publishes a month report. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.commands.month_report import (
    ApproveMonthReport,
    CommentMonthReport,
    MonthReportCommand,
    PublishMonthReport,
)
from shared.domain.events.event import Actor
from shared.domain.events.month_report import (
    MonthReportApproved,
    MonthReportCommented,
    MonthReportPublished,
    ReportFigures,
)
from shared.domain.limits import Within, covers_client
from shared.domain.month_report import (
    REPORTED,
    MonthReport,
    digest_of,
    period_of,
    versions_of,
)
from shared.domain.policy.contracts import MonthReports
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from shared.messaging.commands import Scope
from shared.security.sender import GIVERS

SETTLED = timedelta(minutes=1)
"""A month is reported on from so long after its end: every event of it is recorded."""
EDITIONS_MAX = 100
"""The maximum number of editions of a report."""
NUMBERS_MAX = 1_000
"""The maximum number of figures of a month."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who acts on a report, when, and by which policy."""

    by: Actor
    at: datetime
    rights: Mapping[Scope, Within]
    policy: Policy
    version: int

    @property
    def terms(self) -> MonthReports:
        """What the policy says of month reports."""
        return self.policy.month_reports or MonthReports()

    def covers(self, client: str, scopes: Sequence[Scope]) -> bool:
        """Return whether one of these rights is for all records of a client."""
        return any(
            covers_client(within, client)
            for scope, within in self.rights.items()
            if scope in scopes
        )


def require_report(
    command: MonthReportCommand, who: Author, held: MonthReport
) -> tuple[datetime, datetime]:
    """Return the month as a period. Raises `Refused` unless there is such a report.

    For somebody whose rights do not cover the client there is no client.
    """
    known = {contract.client for contract in who.policy.contracts.values()}
    is_known = command.client in known or held.version > 0
    if not is_known or not who.covers(command.client, tuple(who.rights)):
        raise Refused(
            f"the policy has no contract with a client `{command.client}`",
            "unknown_client",
            "client",
        )
    period = period_of(command.month, ZoneInfo(who.policy.desk.timezone))
    if who.at < period[1] + SETTLED:
        raise Refused("this month is not over yet: report on it afterwards", "state")
    return period


def commented(
    command: CommentMonthReport, held: MonthReport, who: Author
) -> MonthReportCommented | None:
    """Return the comment to record, None if it says so. Raises `Refused`."""
    require_report(command, who, held)
    before = held.comments.get(command.section)
    if (before.text if before else None) == command.text:
        return None
    return MonthReportCommented(
        at=who.at,
        by=who.by,
        whose=who.by,
        client=command.client,
        month=command.month,
        section=command.section,
        text=command.text,
    )


def approved(
    command: ApproveMonthReport, held: MonthReport, who: Author
) -> MonthReportApproved | None:
    """Return the approval to record, None if there is nothing new. Raises `Refused`."""
    require_report(command, who, held)
    _require_manager(command.client, who)
    _require_figures(command.figures)
    comments = versions_of(held.comments)
    if command.seen != digest_of(command.figures, comments):
        raise Refused(
            "the figures or the comments have changed since you read them: read the "
            "report again",
            "state",
        )
    is_approved = held.approved is not None and command.seen == digest_of(
        held.approved.figures, held.approved.comments
    )
    if is_approved or held.says_the_same(command.figures):
        return None
    if "overall" not in held.comments:
        raise Refused(
            "the report has no comment as a whole: write one before it is approved",
            "state",
        )
    if who.terms.four_eyes and who.by in held.authors:
        raise Refused(
            "you wrote a comment of this report: somebody else has to approve it",
            "role",
        )
    return MonthReportApproved(
        at=who.at,
        by=who.by,
        client=command.client,
        month=command.month,
        policy=who.version,
        comments=comments,
        figures=command.figures,
    )


def published(
    command: PublishMonthReport,
    held: MonthReport,
    who: Author,
    clients: Mapping[str, str | None],
) -> MonthReportPublished | None:
    """Return the edition to record, None if it is the last one. Raises `Refused`.

    `clients` has the client of each contact, as far as the directory knows them.
    """
    start, end = require_report(command, who, held)
    _require_manager(command.client, who)
    _require_figures(command.figures)
    approval = held.approved
    if approval is None:
        if held.says_the_same(command.figures):
            return None
        raise Refused("nobody has approved this report: approve it first", "state")
    _require_same(command.figures, approval)
    if len(held.editions) >= EDITIONS_MAX:
        raise Refused(f"a report has at most {EDITIONS_MAX} editions", "state")
    return MonthReportPublished(
        at=who.at,
        by=who.by,
        client=command.client,
        month=command.month,
        policy=who.version,
        start=start,
        end=end,
        edition=len(held.editions) + 1,
        corrects=held.last.number if held.last else None,
        approved_by=approval.by,
        approved_at=approval.at,
        comments=approval.comments,
        figures=approval.figures,
        recipients=recipients(command.client, who.terms, clients),
    )


def _require_same(figures: ReportFigures, approval: MonthReportApproved) -> None:
    if digest_of(figures, {}) != digest_of(approval.figures, {}):
        raise Refused(
            "the log gives other figures than those that were approved: approve the "
            "report again",
            "state",
        )


def recipients(
    client: str, terms: MonthReports, clients: Mapping[str, str | None]
) -> tuple[str, ...]:
    """Return the contacts who are sent a report: none who belong to another client."""
    return tuple(
        person
        for person in terms.recipients(client)
        if person in clients and clients[person] in (None, client)
    )


def _require_manager(client: str, who: Author) -> None:
    if not who.covers(client, GIVERS):
        raise Refused(
            "only a manager of this client may approve and publish its report: ask one",
            "role",
        )


def _require_figures(figures: ReportFigures) -> None:
    """Raise `Refused` for figures that the read API does not count for a report."""
    names = {*figures.numbers, *figures.before}
    metrics = {name.partition(".")[0] for name in names} | {*figures.definitions}
    if len(names) > NUMBERS_MAX or not metrics <= {*REPORTED}:
        raise Refused("these are not the figures of a month report", "invalid")
