"""Who is sent which mail about being on call. Pure: the instant is an argument."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.escalation.on_call_mail.store import MailRequest, instant, key_of
from shared.domain.events.on_call_history import OnCallGapFound, OnCallHandedOver
from shared.domain.on_call import Roster, first_instant, first_shifts, shifts
from shared.domain.on_call.schedule_changes import ScheduleChanges
from shared.domain.policy.document import Policy
from shared.domain.policy.schedules import Role

HAND_OFF_LATE = timedelta(hours=12)
"""A hand-over that was noticed later than that is not news any more."""
ANSWER_LATE = timedelta(days=3)
"""The answer to a swap that was noticed later than that is not news any more."""
UNVERIFIED_SOON = timedelta(hours=72)
"""How long before they are on call people hear that pages may not reach them."""
REMINDED = timedelta(hours=24)
"""How long before a shift its people are reminded of it."""
AT_TIME = time(8)
"""When reports are sent, in the zone of the desk."""
REPORT_LATE = timedelta(hours=12)
"""A weekly report that could not be requested by then is left out: one follows."""
_MOMENT = timedelta(microseconds=1)


def hand_off_mails(
    found: Iterable[OnCallHandedOver], observed: Iterable[Role], now: datetime
) -> Iterator[MailRequest]:
    """Yield a mail for everybody whose standby begins or ends by a hand-over.

    Those of several schedules at one instant are joined when they are sent.
    Only the newest of each role, and none for a role that was not `observed` before:
    nobody handed anything over.
    """
    newest = {event.role: event for event in found}
    for role in sorted(newest.keys() & {*observed}):
        event = newest[role]
        if now - event.at_instant > HAND_OFF_LATE:
            continue
        begins = [each for each in event.incoming if each not in event.outgoing]
        ends = [each for each in event.outgoing if each not in event.incoming]
        for side, people in (("begins", begins), ("ends", ends)):
            for person in people:
                at = instant(event.at_instant)
                about = {
                    "schedule": event.schedule,
                    "role": role,
                    "side": side,
                    "at": at,
                }
                which = f"{event.schedule}|{role}|{at}"
                key = key_of("hand_off", person, which)
                yield MailRequest(key, "hand_off", person, [about], now)


def gap_mails(
    found: Iterable[tuple[int, OnCallGapFound]], policy: Policy, now: datetime
) -> Iterator[MailRequest]:
    """Yield a mail for the managers of the teams that a gap concerns.

    A gap has the version of its event in the history of the schedule: one that was
    closed and opens again is another event, and another alarm.
    """
    for version, event in found:
        start, end = instant(event.start), instant(event.end)
        about = {"schedule": event.schedule, "start": start, "end": end}
        for manager in managers_of(policy, event.schedule):
            which = f"{event.schedule}|{start}|{end}|{version}"
            key = key_of("on_call_gap", manager, which)
            yield MailRequest(key, "on_call_gap", manager, [about], now)


def reminder_mails(
    roster: Roster, policy: Policy, now: datetime
) -> Iterator[MailRequest]:
    """Yield a mail for everybody whose shift begins within a day, one a day."""
    zone = policy.desk.timezone
    for role in sorted({layer.role for layer in roster.layers}):
        before: dict[datetime, tuple[str, ...]] = {}
        for shift in shifts(roster, now - _MOMENT, now + REMINDED, role):
            for person in shift.people:
                if shift.begins <= now or person in before.get(shift.begins, ()):
                    continue
                day = shift.begins.astimezone(ZoneInfo(zone)).date().isoformat()
                key = key_of("shift_reminder", person, day)
                yield MailRequest(key, "shift_reminder", person, [{"day": day}], now)
            before[shift.ends] = shift.people


def swap_mails(
    schedule: str, changes: ScheduleChanges, now: datetime
) -> Iterator[MailRequest]:
    """Yield a mail to those who are asked for a swap, and to those who were answered.

    The instant of the request is in the key: a restored log may use its id again.
    """
    for swap in changes.swaps.values():
        which = f"{swap.id}|{instant(swap.made_at)}"
        about = {"schedule": schedule, "swap": swap.id}
        answered = swap.accepted_at or swap.declined_at
        match swap.state(now):
            case "requested":
                key = key_of("swap_request", swap.other, which)
                yield MailRequest(key, "swap_request", swap.other, [about], now)
            case "accepted" | "declined" as state if (
                answered is not None and now - answered <= ANSWER_LATE
            ):
                key = key_of("swap_answer", swap.person, f"{which}|{state}")
                yield MailRequest(key, "swap_answer", swap.person, [about], now)
            case _:  # withdrawn, expired, or answered long ago
                pass


def unverified_mails(
    schedule: str,
    roster: Roster,
    unverified: Collection[str],
    policy: Policy,
    now: datetime,
) -> Iterator[MailRequest]:
    """Yield mails about people who are on call soon without a verified contact method.

    To themselves and to their managers, once for each shift until they verify one.
    """
    for person, shift in first_shifts(roster, now, now + UNVERIFIED_SOON).items():
        if person not in unverified:
            continue
        which = f"{schedule}|{person}|{instant(shift.begins)}"
        about = {"schedule": schedule, "person": person}
        yield MailRequest(
            key_of("unverified", person, which), "unverified", person, [about], now
        )
        for manager in managers_of(policy, schedule):
            if manager != person:
                key = key_of("unverified_alarm", manager, which)
                yield MailRequest(key, "unverified_alarm", manager, [about], now)


def report_mails(policy: Policy, now: datetime) -> Iterator[MailRequest]:
    """Yield the weekly mail to managers, on Monday from `AT_TIME` on."""
    today = now.astimezone(ZoneInfo(policy.desk.timezone)).date()
    monday = today - timedelta(days=today.weekday())
    due = _due(monday, policy)
    if not due <= now < due + REPORT_LATE:
        return
    for manager in sorted({team.manager for team in policy.teams.values()}):
        names = schedules_of(policy, manager)
        if names:
            key = key_of("coverage_report", manager, monday.isoformat())
            about = {"day": monday.isoformat()}
            yield MailRequest(key, "coverage_report", manager, [about], now)


def reported_week(monday: date, policy: Policy) -> tuple[datetime, datetime]:
    """Return since when and until when the report of a Monday lists changes."""
    return _due(monday - timedelta(days=7), policy), _due(monday, policy)


def month_to_state(policy: Policy, now: datetime) -> date | None:
    """Return the first day of the last month, from `AT_TIME` on the first on.

    None before that. It is due during the whole month: no other statement follows.
    """
    first = now.astimezone(ZoneInfo(policy.desk.timezone)).date().replace(day=1)
    if now < _due(first, policy):
        return None
    return (first - timedelta(days=1)).replace(day=1)


def statement_mails(
    people: Iterable[str], month: date, now: datetime
) -> Iterator[MailRequest]:
    """Yield the monthly mail to each of these people."""
    for person in people:
        about = {"month": month.isoformat()}
        key = key_of("monthly_statement", person, f"{month:%Y-%m}")
        yield MailRequest(key, "monthly_statement", person, [about], now)


def managers_of(policy: Policy, schedule: str) -> Sequence[str]:
    """Return who manages the teams that use a schedule; else the desk's manager."""
    teams = policy.teams.values()
    found = {team.manager for team in teams if team.schedule == schedule}
    return sorted(found) or [policy.teams[policy.desk.team].manager]


def schedules_of(policy: Policy, manager: str) -> Sequence[str]:
    """Return the schedules that a manager is told of."""
    names = sorted(policy.schedules)
    return [name for name in names if manager in managers_of(policy, name)]


def _due(day: date, policy: Policy) -> datetime:
    zone = ZoneInfo(policy.desk.timezone)
    return first_instant(datetime.combine(day, AT_TIME), zone)
