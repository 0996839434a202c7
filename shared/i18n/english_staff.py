"""Message templates for staff, in English."""

from collections.abc import Mapping

from shared.i18n.notice_kinds import StaffKind
from shared.i18n.template import Paragraph, Template

_WORDS = (
    ("words", "{author}"),
    "{words}",
)


def _alarm(subject: str, first: str, *lines: Paragraph) -> Template:
    return Template(
        subject,
        (
            first,
            "- Service: {service}",
            "- Priority: {priority}",
            "- Team: {team}",
            *lines,
            "- Noticed only on {detected_at}",
            "The incident: {url}",
            "The incident stays with the service desk; this message moves nothing.",
        ),
    )


_CONSUMED = "- Consumed: {percent}% of the time promised"
_LEFT = "- Left: {left} of working time"
_LATE = "- Since it was due: {late} of working time"
_DUE = "- Due: {due_at}"
_OVERRUN = "- Over by: {overrun} of working time"

TEMPLATES: Mapping[StaffKind, Template] = {
    "page": Template(
        "{priority}: you are needed: {title}",
        (
            "Incident {incident}, “{title}”, waits for somebody at level {level}.",
            "- Service: {service}",
            "- Priority: {priority}",
            *_WORDS,
            ("promises", "What was promised:"),
            "{promises}",
            "Why you:",
            "- {who} “{via}”",
            ("nobody_on_call", "- nobody was on call at that instant"),
            "- step {step} of level {level}, policy version {policy}",
            "- meant for {after} after it came to this level",
            ("again", "- another try: nobody has accepted yet"),
            "The incident: {url}",
            "Accept {incident} at the service desk, so that nobody else is called.",
            "Without an answer by {answer_by}, we go on looking for somebody.",
        ),
    ),
    "tto_warning": _alarm(
        "Nearly due, and not taken on yet: {title}",
        "Nobody has taken on {incident}, “{title}”, yet (warned on {at}).",
        _CONSUMED,
        _LEFT,
        _DUE,
    ),
    "tto_late": _alarm(
        "Still not taken on: {title}",
        "Incident {incident}, “{title}”, is late, and on {at} nobody had taken it on.",
        _CONSUMED,
        _LATE,
        _DUE,
    ),
    "tto_breach": _alarm(
        "Not taken on in time: {title}",
        "Nobody had taken on {incident}, “{title}”, when it was due. It has been "
        "late since {at}.",
        _DUE,
        _OVERRUN,
    ),
    "ttr_warning": _alarm(
        "Time to resolve nearly used up: {title}",
        "The time to resolve {incident}, “{title}”, is nearly used up (warned on "
        "{at}).",
        _CONSUMED,
        _LEFT,
        _DUE,
    ),
    "ttr_late": _alarm(
        "Late, and still not resolved: {title}",
        "Incident {incident}, “{title}”, is late, and on {at} it was not resolved.",
        _CONSUMED,
        _LATE,
        _DUE,
    ),
    "ttr_breach": _alarm(
        "Time to resolve ran out: {title}",
        "The time to resolve {incident}, “{title}”, ran out on {at}.",
        _DUE,
        _OVERRUN,
    ),
    "ping_pong": _alarm(
        "An incident goes to and fro: {title}",
        "Incident {incident}, “{title}”, came back to a team that had it before, "
        "on {at}.",
        "- Returns: {returns}",
        _DUE,
    ),
    "handover": Template(
        "Late, please find the cause: {title}",
        (
            (
                "Incident {incident}, “{title}”, broke its time to resolve on "
                "{breached_at}. We hand you its cause; the incident stays with the "
                "service desk."
            ),
            "- Service: {service}",
            "- Priority: {priority}",
            _OVERRUN,
            "- Joined the open problem of this service, please confirm: {presumed}",
            "- Open problems that match: {proposed}",
            *_WORDS,
            "The incident: {url}",
            (
                "presumed",
                "To confirm, join it to that problem.",
            ),
            (
                "asks",
                "Accept it, join it to a known problem, or decline it with a reason.",
            ),
            ("asks", "Please answer by {answer_by}."),
        ),
    ),
    "handover_joined": Template(
        "Late, part of a known problem: {title}",
        (
            (
                "Incident {incident}, “{title}”, broke its time to resolve on "
                "{breached_at}. It is part of {problem}, which is open; the incident "
                "stays with the service desk."
            ),
            "- Service: {service}",
            "- Priority: {priority}",
            _OVERRUN,
            *_WORDS,
            "The incident: {url}",
            (
                "Nothing has to be answered. If it has another cause, unlink it from "
                "{problem}."
            ),
        ),
    ),
    "service_handover": Template(
        "Over its budget, please find the cause: {service}",
        (
            (
                "Service {service} used up its budget of broken promises on "
                "{crossed_at}: {breaches} within {within_days} days. We hand you the "
                "service; its incidents stay with the service desk."
            ),
            (
                "Service {service} used up its budget of downtime on {crossed_at}: "
                "{downtime} within {within_days} days, in the hours of its contract. "
                "We hand you the service; its incidents stay with the service desk."
            ),
            "- Incidents: {which}",
            _OVERRUN,
            "- Part of the open problem: {problem}",
            "- Open problems of this service: {proposed}",
            "The last incident: {url}",
            (
                "asks",
                "Accept it, join it to a known problem, or decline it with a reason.",
            ),
            ("asks", "Please answer by {answer_by}."),
        ),
    ),
    "routed": Template(
        "For your team, {record}: {title}",
        (
            (
                "{by} gave the problem {problem}, “{title}”, to team {team}: please "
                "find its cause."
            ),
            "{by} gave the change {change}, “{title}”, to team {team}: please make it.",
            "- Service: {service}",
            "Its incidents:\n\n{incidents}",
            "Older incidents that are not listed here: {more}.",
            "The incidents stay with the service desk.",
        ),
    ),
    "suggestion": Template(
        "It comes again and again, perhaps a problem: {title}",
        (
            (
                "{incident}, “{title}”, is one of several incidents of the same kind "
                "within {within_days} days. There may be one cause behind them."
            ),
            "- Service: {service}",
            "- Incidents: {which}",
            "How some of them were solved:\n\n{solutions}",
            "Look at the last one: {url}",
            "Identify a problem and link them to it, or do nothing: nobody waits.",
        ),
    ),
    "update_due": Template(
        "A user waits for news: {title}",
        (
            (
                "The user of {incident}, “{title}”, should have heard from you by "
                "{due_at}."
            ),
            "- Service: {service}",
            "- Priority: {priority}",
            "- Promised: no more than {promised} without news",
            "- Last news: {last_told_at}",
            "The incident: {url}",
            "Tell them, even where there is nothing new.",
        ),
    ),
}
