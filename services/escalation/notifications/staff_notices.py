"""Selects the notice that staff get about an event; the wording comes later."""

from collections.abc import Sequence
from datetime import timedelta
from textwrap import shorten

from services.escalation.notifications.recall import Recalled
from services.escalation.notifications.user_notices import words_of, words_of_contacts
from services.escalation.rules.paging import answer_by
from shared.domain.events import AnyEvent
from shared.domain.events.change import ChangeAssigned
from shared.domain.events.escalation import EscalationPaged, EscalationRaised
from shared.domain.events.event import FORGOTTEN
from shared.domain.events.handover import HandoverRequested, ServiceHandoverRequested
from shared.domain.events.incident import IncidentOpened
from shared.domain.events.problem import ProblemAssigned, ProblemSuggested
from shared.domain.events.sla import SlaBreached
from shared.domain.incident import Incident
from shared.i18n import staff_notices as notices

SOLUTIONS_TOLD_MAX = 3
SOLUTION_CHARACTERS_MAX = 500
"""Characters of solution notes that a mail repeats; the desk shows them in full."""
NOTICED_LATE = timedelta(minutes=1)
"""From which delay on a notice says that the breach was noticed late."""


def for_staff(  # noqa: PLR0911 one return an event
    of: Recalled, language: str, url: str
) -> notices.StaffNotice:
    """Return the notice; `url` shows the incident, "" if there is no address.

    LookupError for an event that staff are not notified of.
    """
    match of.cause:
        case EscalationPaged() as page:
            return _page(of, page, language, url)
        case EscalationRaised() as raised:
            return _to_manager(of, raised, language, url)
        case HandoverRequested() as handover:
            return _handover(of, handover, language, url)
        case ServiceHandoverRequested() as service:
            return _service(of, service, language, url)
        case ProblemAssigned() | ChangeAssigned() as assigned:
            return _routed(of, assigned, language)
        case ProblemSuggested() as tip:
            return _suggestion(of, tip, language, url)
        case SlaBreached() as breached:
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
        case _:
            raise LookupError(f"staff hear nothing of {of.cause.type}")


def author_of(history: Sequence[AnyEvent]) -> notices.Author:
    """Return who wrote the text that staff read; a contact's author comes first."""
    if words_of_contacts(history):
        return "user"
    match history[0]:
        case IncidentOpened(origin="monitoring"):
            return "monitoring"
        case IncidentOpened(origin="user"):
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
    of: Recalled, assigned: ProblemAssigned | ChangeAssigned, language: str
) -> notices.Routed:
    if of.routed is None:
        raise LookupError(f"nothing was read of what {assigned.type} is about")
    record, listed = of.routed.record, of.routed.incidents
    is_problem = isinstance(assigned, ProblemAssigned)
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
    of: Recalled, tip: ProblemSuggested, language: str, url: str
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
    told = [each for each in of.solutions if each.note != FORGOTTEN]
    return "\n".join(
        f"{each.incident}: "
        + shorten(each.note, SOLUTION_CHARACTERS_MAX, placeholder=" …")
        for each in told[:SOLUTIONS_TOLD_MAX]
    )


def _handover(
    of: Recalled, handover: HandoverRequested, language: str, url: str
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
    of: Recalled, handover: ServiceHandoverRequested, language: str, url: str
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


def _page(of: Recalled, page: EscalationPaged, language: str, url: str) -> notices.Page:
    steps = of.policy.escalation.functional if page.level == "n2" else ()
    answer = answer_by(steps, page.step, page.loop, page.due_at) if steps else None
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
        after=steps[page.step].after if steps else None,
        again=page.loop > 1,
        nobody_on_call=page.nobody_on_call,
        url=url,
        answer_by=answer,
    )


def _to_manager(
    of: Recalled, raised: EscalationRaised, language: str, url: str
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
        left=_long(raised.before_seconds),
        late=_long(raised.after_seconds),
        due_at=clock.due_at if clock else None,
        overrun=of.overrun(target),
        returns=raised.returns,
        detected_at=raised.at if late else None,
        url=url,
    )


def _long(seconds: int | None) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds else None
