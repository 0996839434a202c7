"""Selects the notice that staff get about an event; the wording comes later."""

from collections.abc import Sequence
from datetime import timedelta
from textwrap import shorten
from typing import assert_never

from services.escalation.notifications.recall import Recalled
from services.escalation.notifications.user_notices import words_of, words_of_contacts
from services.escalation.rules.page_targets import plan_of
from services.escalation.rules.paging import answer_by
from shared.domain import events
from shared.domain.events.event import FORGOTTEN
from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.domain.policy.priorities import Priority
from shared.domain.policy.sources import Mailbox
from shared.i18n import staff_notices as notices

SOLUTIONS_MAX = 3
SOLUTION_CHARACTERS_MAX = 500
"""Characters of solution notes that a mail repeats; the desk shows them in full."""
NOTICED_LATE = timedelta(minutes=1)
"""From which delay on a notice says that the breach was noticed late."""


def for_staff(  # noqa: C901, PLR0911, PLR0912 one return an event
    of: Recalled, language: str, url: str
) -> notices.StaffNotice:
    """Return the notice; `url` shows the incident, "" without an address.

    LookupError for an event that staff are not notified of.
    """
    match of.cause:
        case events.EscalationPaged() as page:
            return _page(of, page, language, url)
        case events.EscalationUnreachable() | events.EscalationNobodyNotified() as one:
            return _alarm(of, one, language, url)
        case events.EscalationAccepted():
            return _taken(of, language, url)
        case events.EscalationAcknowledgementReminded() as to_lapse:
            return _to_lapse(of, to_lapse, language, url)
        case events.EscalationRaised() as raised:
            return _to_manager(of, raised, language, url)
        case events.EscalationExhausted() as exhausted:
            return _exhausted(of, exhausted, language, url)
        case events.HandoverRequested() as handover:
            return _handover(of, handover, language, url)
        case events.ServiceHandoverRequested() as service:
            return _service(of, service, language, url)
        case events.ProblemAssigned() | events.ChangeAssigned() as assigned:
            return _routed(of, assigned, language)
        case events.ProblemSuggested() as tip:
            return _suggestion(of, tip, language, url)
        case events.IncidentReminded() as reminded:
            return _reminder(of, reminded, language, url)
        case events.SlaBreached() as breached:
            return _update_due(of, breached, language, url)
        case _:
            raise LookupError(f"staff are not notified of {of.cause.type}")


def _taken(of: Recalled, language: str, url: str) -> notices.TakenByColleague:
    return notices.TakenByColleague(
        of.incident.ref,
        of.incident.title,
        of.incident.priority,
        service_name(of, language),
        url=url,
    )


def _to_lapse(
    of: Recalled,
    to_lapse: events.EscalationAcknowledgementReminded,
    language: str,
    url: str,
) -> notices.AcknowledgementReminder:
    return notices.AcknowledgementReminder(
        of.incident.ref,
        of.incident.title,
        of.incident.priority,
        service_name(of, language),
        to_lapse.lapses_at,
        url=url,
    )


def _update_due(
    of: Recalled, breached: events.SlaBreached, language: str, url: str
) -> notices.UpdateDue:
    return notices.UpdateDue(
        of.incident.ref,
        of.incident.title,
        of.incident.priority,
        service_name(of, language),
        timedelta(seconds=breached.seconds),
        breached.due_at,
        of.incident.last_informed_at,
        url=url,
    )


def _alarm(
    of: Recalled,
    alarm: events.EscalationUnreachable | events.EscalationNobodyNotified,
    language: str,
    url: str,
) -> notices.Unreachable | notices.NobodyNotified:
    about = _about(of, language)
    match alarm:
        case events.EscalationUnreachable():
            return notices.Unreachable(of.incident.ref, of.about, *about, url=url)
        case events.EscalationNobodyNotified(level=level):
            return notices.NobodyNotified(of.incident.ref, *about, level, url=url)
        case _:
            assert_never(alarm)


def in_brief(of: Recalled, language: str, url: str) -> notices.PageInBrief:
    """Return a page for an address that nobody has verified."""
    return notices.PageInBrief(of.incident.ref, *_about(of, language), url=url)


def _about(of: Recalled, language: str) -> tuple[Priority, str]:
    """Return the priority and the name of the service."""
    return of.incident.priority, service_name(of, language)


def author_of(history: Sequence[events.AnyEvent]) -> notices.Author:
    """Return who wrote the text that staff read; a contact's author comes first."""
    if words_of_contacts(history):
        return "user"
    match history[0]:
        case events.IncidentOpened(origin="monitoring"):
            return "monitoring"
        case events.IncidentOpened(origin="user"):
            return "user"
        case _:
            return "agent"


def service_name(of: Recalled, language: str, service: str | None = None) -> str:
    """Return a service's name in a language, else in the first language it has.

    Without a service, it is the one of the incident.
    """
    names = of.policy.service(service or of.incident.service).name
    return names.get(language) or next(iter(names.values()))


def _routed(
    of: Recalled,
    assigned: events.ProblemAssigned | events.ChangeAssigned,
    language: str,
) -> notices.Routed:
    if of.routed is None:
        raise LookupError(f"the record that {assigned.type} is about was not read")
    record, listed = of.routed.record, of.routed.incidents
    is_problem = isinstance(assigned, events.ProblemAssigned)
    return notices.Routed(
        record.ref,
        record.title,
        service_name(of, language, record.service),
        assigned.team,
        of.routed.by,
        "\n".join(map(_listed, listed)),
        more=len(assigned.incidents) - len(listed) or None,
        problem=record.ref if is_problem else "",
        change="" if is_problem else record.ref,
    )


def _listed(incident: Incident) -> str:
    title = "" if incident.title == FORGOTTEN else incident.title
    return f"{incident.ref}: {title}" if title else incident.ref


def _suggestion(
    of: Recalled, tip: events.ProblemSuggested, language: str, url: str
) -> notices.Suggestion:
    return notices.Suggestion(
        of.incident.ref,
        of.incident.title,
        service_name(of, language, tip.service),
        tip.within_days,
        ", ".join(tip.incidents),
        url=url,
        solutions=_solutions(of),
    )


def _solutions(of: Recalled) -> str:
    notes = [each for each in of.solutions if each.note != FORGOTTEN]
    return "\n".join(
        f"{each.incident}: "
        + shorten(each.note, SOLUTION_CHARACTERS_MAX, placeholder=" …")
        for each in notes[:SOLUTIONS_MAX]
    )


def _handover(
    of: Recalled, handover: events.HandoverRequested, language: str, url: str
) -> notices.Handover:
    presumed = handover.problem or "" if handover.matched == "service" else ""
    return notices.Handover(
        of.incident.ref,
        of.incident.title,
        of.incident.priority,
        service_name(of, language),
        handover.breached_at,
        overrun=of.overrun("ttr"),
        problem="" if presumed else handover.problem or "",
        presumed=presumed,
        proposed=", ".join(handover.proposed),
        asks=bool(presumed) or handover.problem is None,
        words=words_of(of, None),
        author=author_of(of.history),
        answer_by=handover.answer_by,
        url=url,
    )


def _service(
    of: Recalled, handover: events.ServiceHandoverRequested, language: str, url: str
) -> notices.ServiceHandover:
    late, down = handover.overrun_seconds, None
    which: Sequence[str] = [each.incident for each in handover.counted]
    if handover.cause == "downtime":
        which, down = handover.outages, handover.downtime_seconds
    return notices.ServiceHandover(
        of.incident.ref,
        service_name(of, language, handover.service),
        None if down else handover.breaches,
        handover.within_days,
        handover.crossed_at,
        ", ".join(which),
        downtime=timedelta(seconds=down) if down else None,
        overrun=timedelta(seconds=late) if late else None,
        problem=handover.problem or "",
        proposed=", ".join(handover.proposed),
        asks=handover.problem is None,
        answer_by=handover.answer_by,
        url=url,
    )


def _reminder(
    of: Recalled, reminded: events.IncidentReminded, language: str, url: str
) -> notices.Reminder:
    set_ = [
        event
        for event in of.history
        if isinstance(event, events.IncidentReminderSet)
        and (event.person, event.number) == (reminded.person, reminded.number)
    ]
    return notices.Reminder(
        of.incident.ref,
        of.incident.title,
        of.incident.priority,
        service_name(of, language),
        reminded.due_at,
        note=(set_[-1].note or "") if set_ else "",
        url=url,
    )


def _page(
    of: Recalled, page: events.EscalationPaged, language: str, url: str
) -> notices.Page:
    plan = plan_of(of.policy, page.escalation_policy, page.level)
    priority = of.incident.priority
    answer = answer_by(plan, priority, page.step, page.loop, page.due_at)
    return notices.Page(
        of.incident.ref,
        of.incident.title,
        of.incident.priority,
        service_name(of, language),
        page.level,
        page.who,
        page.schedule or page.team or "",
        page.step + 1,
        page.policy,
        words=words_of(of, None),
        author=author_of(of.history),
        promises=of.promises("tto", "ttr"),
        after=plan.steps[page.step].after if plan.steps else None,
        again=page.loop > 1,
        nobody_on_call=page.nobody_on_call,
        url=url,
        answer_by=answer,
        by_reply=takes_mail(of.policy),
        role=page.role or "primary",
        since=of.on_call_since,
        rules=page.escalation_policy or "",
    )


def takes_mail(policy: Policy) -> bool:
    """Return whether the desk receives mail, so that a page can be answered by mail."""
    return any(isinstance(source, Mailbox) for source in policy.sources.values())


def _exhausted(
    of: Recalled, exhausted: events.EscalationExhausted, language: str, url: str
) -> notices.Exhausted:
    return notices.Exhausted(
        of.incident.ref,
        of.incident.title,
        of.incident.priority,
        service_name(of, language),
        exhausted.level,
        exhausted.team,
        exhausted.number,
        exhausted.next_at,
        url=url,
    )


def _to_manager(
    of: Recalled, raised: events.EscalationRaised, language: str, url: str
) -> notices.ManagerNotice:
    target = "tto" if raised.on.startswith("tto") else "ttr"
    clock = of.clock(target)
    late = raised.at - raised.raised_at >= NOTICED_LATE
    return notices.ManagerNotice(
        of.incident.ref,
        of.incident.title,
        raised.on,
        raised.raised_at,
        of.incident.priority,
        service_name(of, language),
        team=of.incident.team,
        percent=raised.percent,
        left=_span(raised.before_seconds),
        late=_span(raised.after_seconds),
        due_at=clock.due_at if clock else None,
        overrun=of.overrun(target),
        returns=raised.returns,
        detected_at=raised.at if late else None,
        url=url,
    )


def _span(seconds: int | None) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds else None
