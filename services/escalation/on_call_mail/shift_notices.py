"""What mails say of shifts: hand-overs, shifts to come, gaps, swaps, and hours."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from urllib.parse import quote
from zoneinfo import ZoneInfo

from services.escalation.on_call.roster_store import roster_if_any
from services.escalation.on_call_mail.context import MailContext
from services.escalation.on_call_mail.names import LISTED_MAX, names_of, shown
from services.escalation.on_call_mail.open_incidents import open_incidents
from services.escalation.on_call_mail.store import MailRequest
from shared.domain.on_call import Roster, first_instant, shifts
from shared.domain.on_call.coverage import unexpected_gaps
from shared.domain.on_call.schedule_changes import RecordedSwap, SwapState
from shared.domain.policy.document import Policy
from shared.domain.policy.schedules import Role
from shared.i18n.on_call_notices import (
    GapAlarm,
    HandOff,
    MonthlyStatement,
    ShiftLine,
    ShiftReminder,
    SwapAnswers,
    SwapLine,
    SwapRequests,
    WorkLine,
)
from shared.on_call_changes import changes_of
from shared.on_call_history import month_of, people_at, statements

_MOMENT = timedelta(microseconds=1)


def hand_off(context: MailContext, request: MailRequest) -> HandOff:
    """Return whose standby begins or ends, and what is open."""
    begins: list[ShiftLine] = []
    ends: list[ShiftLine] = []
    for each in request.about:
        schedule, role, at = each["schedule"], each["role"], _at(each["at"])
        held = people_at(context.cursor, schedule, at).get(role)
        others = [p for p in held.people if p != request.person] if held else []
        line = ShiftLine(
            schedule,
            shown(role),
            end=_end(roster_if_any(context.cursor, schedule, context.policy), role, at),
            people=names_of(context.cursor, others),
        )
        (begins if each["side"] == "begins" else ends).append(line)
    found = open_incidents(
        context.log,
        context.cursor,
        context.policy,
        {each["schedule"] for each in request.about},
        context.language,
    )
    return HandOff(
        _at(request.about[0]["at"]),
        tuple(begins),
        tuple(ends),
        found.incidents,
        found.more,
        context.url,
    )


def shift_reminder(context: MailContext, request: MailRequest) -> ShiftReminder | None:
    """Return the shifts of the person that are to begin on the day, or None."""
    day = date.fromisoformat(request.about[0]["day"])
    start, end = _days(day, 1, context.policy)
    lines = [
        ShiftLine(name, shown(role), shift.begins, shift.ends)
        for name in sorted(context.policy.schedules)
        if (roster := roster_if_any(context.cursor, name, context.policy)) is not None
        for role in sorted({layer.role for layer in roster.layers})
        for shift in shifts(roster, start, end, role)
        if shift.begins >= start
        and shift.begins > context.now
        and request.person in shift.people
    ]
    if not lines:
        return None
    return ShiftReminder(tuple(lines[:LISTED_MAX]), context.at("/on-call/mine"))


def gap_alarm(context: MailContext, request: MailRequest) -> GapAlarm | None:
    """Return what is still not covered of the gaps, None if somebody covers it."""
    lines = [
        ShiftLine(each["schedule"], "", start, end)
        for each in request.about
        if (roster := roster_if_any(context.cursor, each["schedule"], context.policy))
        is not None
        for start, end in islice(
            unexpected_gaps(roster, _at(each["start"]), _at(each["end"])),
            LISTED_MAX,
        )
        if end > context.now
    ]
    if not lines:
        return None
    return GapAlarm(tuple(lines[:LISTED_MAX]), context.at("/on-call"))


def monthly_statement(context: MailContext, request: MailRequest) -> MonthlyStatement:
    """Return the hours of the person, as of now."""
    first = date.fromisoformat(request.about[0]["month"])
    month = month_of(first, context.policy.desk.timezone)
    (stated,) = statements(
        context.log, context.cursor, month, context.now, [request.person]
    )
    standby = [
        ShiftLine(each.schedule, shown(each.role), each.start, each.end)
        for each in stated.standby
    ]
    work = [
        WorkLine(each.start, each.end, each.incident or "")
        for each in stated.interventions
    ]
    rests = [WorkLine(each.start, each.end) for each in stated.short_rests]
    more = sum(len(each[LISTED_MAX:]) for each in (standby, work, rests))
    return MonthlyStatement(
        stated.start,
        stated.end,
        stated.standby_time,
        stated.work_time,
        tuple(standby[:LISTED_MAX]),
        tuple(work[:LISTED_MAX]),
        tuple(rests[:LISTED_MAX]),
        more or None,
        context.at("/on-call/mine"),
    )


def swap_requests(context: MailContext, request: MailRequest) -> SwapRequests | None:
    """Return the swaps that the person can still answer, None without any."""
    found = _swaps_of(context, request, {"requested"})
    swaps = [_swap_line(context, schedule, swap) for schedule, swap in found]
    return SwapRequests(tuple(swaps[:LISTED_MAX]), context.url) if swaps else None


def swap_answers(context: MailContext, request: MailRequest) -> SwapAnswers | None:
    """Return the answers to the person's swaps, None if all of them were withdrawn."""
    found = _swaps_of(context, request, {"accepted", "declined"})
    swaps = [_swap_line(context, schedule, swap) for schedule, swap in found]
    return SwapAnswers(tuple(swaps[:LISTED_MAX]), context.url) if swaps else None


def _at(written: str) -> datetime:
    return datetime.fromisoformat(written)


def _end(roster: Roster | None, role: Role, at: datetime) -> datetime | None:
    if roster is None:
        return None
    now = next(shifts(roster, at, at + _MOMENT, role), None)
    return now.ends if now else None


def _days(first: date, count: int, policy: Policy) -> tuple[datetime, datetime]:
    zone = ZoneInfo(policy.desk.timezone)
    midnight = datetime.min.time()
    begins, ends = (
        first_instant(datetime.combine(day, midnight), zone)
        for day in (first, first + timedelta(days=count))
    )
    return begins, ends


def _swaps_of(
    context: MailContext, request: MailRequest, states: set[SwapState]
) -> Iterator[tuple[str, RecordedSwap]]:
    for about in request.about:
        schedule = about["schedule"]
        swap = changes_of(context.cursor, schedule).swaps.get(about["swap"])
        if swap is not None and swap.state(context.now) in states:
            yield schedule, swap


def _swap_line(context: MailContext, schedule: str, swap: RecordedSwap) -> SwapLine:
    page = f"/on-call/{quote(schedule, safe='')}/swaps/{quote(swap.id, safe='')}"
    return SwapLine(
        schedule,
        shown(swap.role),
        names_of(context.cursor, [swap.person]),
        names_of(context.cursor, [swap.other]),
        swap.start,
        swap.end,
        swap.other_start,
        swap.other_end,
        is_accepted=swap.accepted_at is not None,
        url=context.at(page),
    )
