"""Records when users hear from the desk: what keeps a promised update. Pure.

That is a message to one of the reporters, once it is delivered, or an agent's word that
they told one. What the desk does, or asks to be sent, keeps nothing.
"""

from dataclasses import replace
from datetime import datetime

from services.sla_watcher.clocks.case import Case, UserMessage
from shared.domain import events
from shared.domain.incident.deliveries import is_delivered, is_spoken

_HEARD: frozenset[events.Kind] = frozenset(
    {
        *("taken", "escalated", "returned", "question", "update", "extension"),
        *("agreed", "restored", "resolved", "problem_workaround"),
    }
)
"""Kinds that say how an incident stands.

Not a receipt, nor the like after a reopening: the users have just spoken themselves.
Nor what ends it without a resolution: nothing is promised then.
"""


def heard(  # noqa: PLR0911 one return a case
    case: Case, event: events.AnyEvent, at: datetime
) -> Case:
    """Return the case after an event, as far as its users have heard of it."""
    match event:
        case events.IncidentReopened():  # they spoke to us; the next message is a reply
            spoken = replace(case, heard_at=at, unheard_at=None, messages={})
            return replace(spoken, knows_end=False)
        case events.IncidentResolved():  # messages on their way do not say so
            return replace(case, messages={})
        case events.IncidentClosed():
            return replace(case, unheard_at=case.unheard_at or at)
        case events.IncidentContacted() if is_spoken(event, case.reporters):
            return _heard(case, at)
        case events.NotificationRequested() if _counts(event, case):
            about = (event.kind, event.cause_stream, event.cause_version)
            messages = {**case.messages, event.key: UserMessage(*about)}
            return replace(case, messages=messages)
        case _ if is_delivered(case.messages, event):
            return _heard(_without_those_of(case, event), at)
        case events.NotificationFailed(key=key) if key in case.messages:
            left = {k: each for k, each in case.messages.items() if k != key}
            after, kind = replace(case, messages=left), case.messages[key].kind
            is_last = all(each.kind != "resolved" for each in left.values())
            ended = kind == "resolved" and is_last
            unheard_at = case.unheard_at or at
            return replace(after, unheard_at=unheard_at) if ended else after
        case _:
            return case


def _counts(event: events.NotificationRequested, case: Case) -> bool:
    """Tell whether a message is for a reporter, and says how it stands now.

    None does before a promise that a delivery keeps: a case of an earlier version does
    not know the messages that were on their way.
    """
    is_over = case.resolved_at is not None
    is_true = is_over == (event.kind == "resolved")
    is_promised = any(clock.kept_by for clock in case.clocks)
    is_news = event.kind in _HEARD and event.person in case.reporters
    return is_news and is_true and is_promised


def _heard(case: Case, at: datetime) -> Case:
    """Return the case after its users heard; nothing is promised while it is merged."""
    if case.gone is not None:
        return case
    return replace(case, heard_at=at, knows_end=case.resolved_at is not None)


def _without_those_of(case: Case, event: events.AnyEvent) -> Case:
    """Return the case without a message that arrived, and those about the same.

    The first user who hears counts for all.
    """
    stream, version = case.messages[getattr(event, "key", "")][1:]
    left = {
        key: each
        for key, each in case.messages.items()
        if (each.stream, each.version) != (stream, version)
    }
    return replace(case, messages=left)
