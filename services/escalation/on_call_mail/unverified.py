"""What mails say of people who are on call soon without a verified contact method."""

from collections.abc import Iterator
from datetime import datetime

from services.escalation.on_call.roster_store import roster_if_any
from services.escalation.on_call_mail.context import MailContext
from services.escalation.on_call_mail.names import LISTED_MAX, names_of
from services.escalation.on_call_mail.rules import UNVERIFIED_SOON
from services.escalation.on_call_mail.store import MailRequest
from shared.contact_methods.readiness import unverified_of
from shared.domain.on_call import Roster, first_shifts
from shared.i18n.on_call_notices import ShiftLine, Unverified, UnverifiedAlarm


def unverified(context: MailContext, request: MailRequest) -> Unverified | None:
    """Return the shifts of the person, None if they can be reached by now."""
    lines = _still(context, request)
    return Unverified(lines, context.at("/me/contact-methods")) if lines else None


def unverified_alarm(
    context: MailContext, request: MailRequest
) -> UnverifiedAlarm | None:
    """Return the shifts of people who cannot be reached yet, None without any."""
    lines = _still(context, request)
    return UnverifiedAlarm(lines, context.at("/on-call")) if lines else None


def unverified_shifts(
    context: MailContext,
    schedule: str,
    roster: Roster,
    start: datetime,
    end: datetime,
) -> Iterator[tuple[str, ShiftLine]]:
    """Yield the first shift in [start, end) of everybody who cannot be reached."""
    found = first_shifts(roster, start, end)
    cursor = context.cursor
    unreachable = unverified_of(context.log.vault, cursor, found)
    for person, shift in found.items():
        if person in unreachable:
            name = names_of(cursor, [person])
            yield person, ShiftLine(schedule, "", shift.begins, shift.ends, name)


def _still(context: MailContext, request: MailRequest) -> tuple[ShiftLine, ...]:
    cursor = context.cursor
    wanted = {(each["schedule"], each["person"]) for each in request.about}
    lines = [
        line
        for schedule in sorted({schedule for schedule, _ in wanted})
        if (roster := roster_if_any(cursor, schedule, context.policy)) is not None
        for person, line in unverified_shifts(
            context, schedule, roster, context.now, context.now + UNVERIFIED_SOON
        )
        if (schedule, person) in wanted
    ]
    return tuple(lines[:LISTED_MAX])
