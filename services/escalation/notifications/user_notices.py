"""Selects the notice that users get about an event; the wording comes later."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from services.escalation.notifications.recall import Recalled
from services.escalation.rules.context import PolicyOf
from shared.domain import events
from shared.domain.grace_periods import closes_at
from shared.domain.policy.document import Policy
from shared.i18n import user_notices as notices

AnswerAt = Callable[[str, str, datetime], str]
"""Returns the link to answer about a longer delay, valid until a time, or ""."""


def for_user(
    of: Recalled,
    person: str,
    policy_of: PolicyOf,
    answer_at: AnswerAt,
    language: str = "en",
) -> notices.UserNotice:
    """Return the notice for one person. LookupError for an event without one.

    Names in the policy are in `language`, if they have it. A person who may never have
    written to us gets no text that a stranger wrote.
    """
    notice = _notice(of, person, policy_of, answer_at, language)
    if of.confirms(person):
        return notice
    match notice:
        case notices.UnconfirmedReceipt():
            return notice
        case notices.Receipt(promises=promises):
            return notices.UnconfirmedReceipt(of.incident.ref, promises)
        case _ if of.has_title_of_the_desk:
            return notice
        case _:
            return replace(notice, title=notices.WITHHELD)


def _notice(  # noqa: PLR0911 one return a notice
    of: Recalled,
    person: str,
    policy_of: PolicyOf,
    answer_at: AnswerAt,
    language: str,
) -> notices.UserNotice:
    ref, title = of.incident.ref, of.incident.title
    match of.cause:
        case events.IncidentOpened() | events.IncidentContacted():
            return _receipt(of, person)
        case events.IncidentAcknowledged():
            return notices.Taken(ref, title, of.promises("ttr", "update"))
        case events.Escalated(to_level=level):
            return notices.Escalated(ref, title, level)
        case events.EscalationReturned(to_level=level):
            return notices.Returned(ref, title, level)
        case events.IncidentPaused(question=question):
            return notices.Question(ref, title, question or "", _clock_stands(of))
        case events.IncidentInformed(message=message):
            return notices.Update(ref, title, message)
        case events.IncidentReopened():
            promises = of.promises("tto", "ttr", "update")
            return notices.Reopened(ref, title, promises)
        case (
            events.SlaExtensionProposed(extension=ref_of_delay, expires_at=by) as delay
        ):
            return _longer(of, delay, answer_at(ref_of_delay, person, by))
        case events.SlaExtensionAccepted() as delay:
            return _longer(of, delay, "")
        case _:
            return _end(of, policy_of, language)


def _longer(
    of: Recalled,
    delay: events.SlaExtensionProposed | events.SlaExtensionAccepted,
    url: str,
) -> notices.UserNotice:
    """Return the notice of a longer delay: to be answered at `url`, or agreed."""
    ref, title, was = of.incident.ref, of.incident.title, delay.was_due_at
    match delay:
        case events.SlaExtensionProposed(
            proposed_due_at=new, expires_at=by, reason=why
        ):
            return notices.Extension(ref, title, new, by, why, was, url)
        case events.SlaExtensionAccepted(agreed_due_at=due_at, evidence=words):
            return notices.Agreed(ref, title, due_at, words or "", was)
        case _:
            assert_never(delay)


def _end(  # noqa: PLR0911 # one return a notice
    of: Recalled, policy_of: PolicyOf, language: str
) -> notices.UserNotice:
    ref, title = of.incident.ref, of.incident.title
    match of.cause:
        case events.IncidentRestored(workaround=True, note=note):
            return notices.Workaround(ref, title, note or "")
        case events.IncidentRestored(note=note):
            return notices.Restored(ref, title, note or "")
        case events.IncidentResolved(note=note, policy=version):
            until = _closes_at(of, policy_of(version))
            return notices.Resolved(ref, title, note or "", until)
        case events.IncidentCancelled(reason=reason, note=note):
            return notices.Cancelled(ref, title, reason, note or "")
        case events.IncidentRedirected(to=to, message=message, policy=version):
            destination = policy_of(version).destinations.get(to)
            named = destination.called(language) if destination else None
            return notices.Redirected(ref, title, named or "", message)
        case events.IncidentMerged(into=into):
            return notices.Merged(ref, title, into)
        case events.ProblemWorkaroundPublished(problem=problem, workaround=workaround):
            return notices.ProblemWorkaround(ref, title, problem, workaround)
        case _:
            raise LookupError(f"users are not notified of {of.cause.type}")


def _closes_at(of: Recalled, policy: Policy) -> datetime | None:
    """Return when the desk closes it unless a user replies; None if never."""
    if of.incident.answered:
        return None
    try:
        return closes_at(of.incident, policy)
    except ValueError:  # it was reopened meanwhile, or its calendar never opens
        return None


def _receipt(of: Recalled, person: str) -> notices.Receipt:
    return notices.Receipt(
        of.incident.ref,
        of.incident.title,
        of.promises("tto", "ttr", "update"),
        words=words_of(of, person),
        attached=isinstance(of.cause, events.IncidentContacted),
        taken=of.incident.acknowledged_at is not None,
    )


def words_of_contacts(
    history: Sequence[events.AnyEvent], person: str | None = None
) -> list[str]:
    """Return the words of all inbound contacts; with `person`, only theirs."""
    return [
        event.words
        for event in history
        if isinstance(event, events.IncidentContacted)
        and event.direction == "inbound"
        and event.words
        and not event.unconfirmed
        and person in (None, event.person)
    ]


def words_of(of: Recalled, person: str | None) -> str:
    """Return a person's last words to us; without a person, the first words.

    Without a person, the words are those of the source or the agent.
    """
    words = words_of_contacts(of.history, person)
    if words:
        return words[-1] if person else words[0]
    match of.history[0]:
        case events.IncidentOpened(details=str(details)) if person is None:
            return details
        case _:
            return ""


def _clock_stands(of: Recalled) -> bool:
    clock = of.clock("ttr")
    return clock is not None and clock.is_open and "user" in clock.paused_by
