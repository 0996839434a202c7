"""What a manager is told every Monday: what is planned, and what people changed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice

from services.escalation.on_call.roster_store import roster_if_any
from services.escalation.on_call_mail.change_lines import (
    Week,
    absence_lines,
    schedule_lines,
)
from services.escalation.on_call_mail.context import MailContext
from services.escalation.on_call_mail.names import LISTED_MAX, names_of
from services.escalation.on_call_mail.rules import reported_week, schedules_of
from services.escalation.on_call_mail.store import MailRequest
from services.escalation.on_call_mail.unverified import unverified_shifts
from shared.database.cursors import Cursors
from shared.domain.on_call import Roster, overlaps
from shared.domain.on_call.coverage import unexpected_gaps
from shared.domain.policy.document import Policy
from shared.i18n.on_call_notices import ChangeLine, CoverageReport, ShiftLine
from shared.on_call_changes import absences_of, changes_of

AHEAD = timedelta(days=28)
"""How far a report looks ahead."""
_Found = tuple[list[ShiftLine], list[ShiftLine], list[ShiftLine]]


def coverage_report(context: MailContext, request: MailRequest) -> CoverageReport:
    """Return what is to be said of the schedules of a manager."""
    cursor, policy, now = context.cursor, context.policy, context.now
    schedules = schedules_of(policy, request.person)
    gaps, several, unverified = _planned(context, schedules)
    week = reported_week(date.fromisoformat(request.about[0]["day"]), policy)
    changes = _changes(cursor, schedules, request.person, policy, week)
    parts: Sequence[Sequence[object]] = (gaps, several, unverified, changes)
    return CoverageReport(
        now + AHEAD,
        ", ".join(schedules),
        tuple(gaps[:LISTED_MAX]),
        tuple(several[:LISTED_MAX]),
        tuple(unverified[:LISTED_MAX]),
        tuple(_named(cursor, each) for each in changes[:LISTED_MAX]),
        sum(len(part[LISTED_MAX:]) for part in parts) or None,
        context.at("/on-call"),
    )


def _planned(context: MailContext, schedules: Sequence[str]) -> _Found:
    cursor, policy, now = context.cursor, context.policy, context.now
    gaps: list[ShiftLine] = []
    several: list[ShiftLine] = []
    unverified: list[ShiftLine] = []
    for name in schedules:
        roster = roster_if_any(cursor, name, policy)
        if roster is None:
            continue
        gaps += islice(_gaps(name, roster, now), LISTED_MAX + 1)
        several += islice(_overlaps(cursor, name, roster, now), LISTED_MAX + 1)
        lines = unverified_shifts(context, name, roster, now, now + AHEAD)
        unverified += (line for _, line in lines)
    return gaps, several, unverified


def _changes(
    cursor: Cursors,
    schedules: Sequence[str],
    manager: str,
    policy: Policy,
    week: Week,
) -> list[ChangeLine]:
    """Return what was changed: absences only of the members of the manager's teams."""
    members = {
        member
        for team in policy.teams.values()
        if team.manager == manager
        for member in team.members
    }
    lines = [
        line
        for name in schedules
        for line in schedule_lines(name, changes_of(cursor, name), week)
    ]
    return [*lines, *absence_lines(absences_of(cursor, members), week)]


def _named(cursor: Cursors, line: ChangeLine) -> ChangeLine:
    return replace(
        line,
        by=names_of(cursor, [line.by]),
        added=names_of(cursor, [line.added] if line.added else []),
        removed=names_of(cursor, [line.removed] if line.removed else []),
        absent=names_of(cursor, [line.absent] if line.absent else []),
    )


def _gaps(name: str, roster: Roster, now: datetime) -> Iterator[ShiftLine]:
    for start, end in unexpected_gaps(roster, now, now + AHEAD):
        yield ShiftLine(name, "", start, end)


def _overlaps(
    cursor: Cursors, name: str, roster: Roster, now: datetime
) -> Iterator[ShiftLine]:
    for shift in overlaps(roster, now, now + AHEAD):
        people = names_of(cursor, shift.people)
        yield ShiftLine(name, "", shift.begins, shift.ends, people)
