"""Who reported an incident, who contacted the desk about it, and how often.

For a written contact, the waiting time ends with the automatic receipt. Contact and
receipt are events of two streams; the one processed last finds the other.
"""

from services.projections.metrics.state import (
    Fact,
    FirstWord,
    IncidentState,
    added,
    changed,
    last,
    replaced,
)
from shared.domain import events
from shared.domain.policy.targets import Channel
from shared.eventlog.entry import Entry

WRITTEN: frozenset[Channel] = frozenset({"email", "web"})
"""Channels on which people write without anybody at the other end."""


def after_opening(
    incident: IncidentState, event: events.IncidentOpened, entry: Entry
) -> IncidentState:
    """Return a new incident with how it was reported."""
    if event.reporter:
        return _reported_by_user(incident, entry)
    if incident.origin == "split":
        return incident
    word = "monitoring_only" if incident.origin == "monitoring" else "desk"
    fact = Fact("reported", 0, entry.recorded_at, word)
    return changed(incident, facts=added(incident.facts, fact))


def _reported_by_user(incident: IncidentState, entry: Entry) -> IncidentState:
    """Count the report of a user instead of what was counted before."""
    if incident.user_reported or incident.origin == "split":
        return incident
    both = incident.origin == "monitoring"
    word = "monitoring_then_user" if both else "user_only"
    before = last(incident.facts, "reported")
    fact = Fact("reported", 1, entry.recorded_at, word)
    facts = incident.facts
    facts = replaced(facts, before, fact) if before else added(facts, fact)
    return changed(incident, user_reported=True, facts=facts)


def after_contact(
    incident: IncidentState, event: events.IncidentContacted, entry: Entry
) -> IncidentState:
    """Return an incident after an inbound contact."""
    if not event.unconfirmed:
        incident = _reported_by_user(incident, entry)
    fact = Fact(
        "contact",
        0,
        entry.recorded_at,
        event.channel,
        ended="abandoned" if event.abandoned else None,
        waited=event.waited_seconds,
    )
    facts = added(incident.facts, fact)
    channel = incident.dims.channel or event.channel
    after = changed(
        incident,
        dims=changed(incident.dims, channel=channel),
        contacts=incident.contacts + 1,
        facts=facts,
    )
    return with_first_word(after, event, facts[-1])


def with_first_word(
    incident: IncidentState, event: events.IncidentContacted, fact: Fact
) -> IncidentState:
    """Return an incident that knows the contact of `fact`, if a person's first."""
    if event.unconfirmed or event.person in incident.first_words:
        return incident
    written = event.channel in WRITTEN and event.waited_seconds is None
    word = FirstWord(fact.number, event.contacted_at, written)
    first_words = {**incident.first_words, event.person: word}
    return _answered(changed(incident, first_words=first_words), event.person)


def after_receipt(
    incident: IncidentState,
    event: events.NotificationRequested | events.NotificationSent,
) -> IncidentState:
    """Return an incident after a notification that may be a receipt."""
    match event:
        case events.NotificationRequested(
            kind="receipt", audience="user", person=str(person)
        ):
            return changed(incident, receipts={**incident.receipts, event.key: person})
        case events.NotificationSent(key=key) if key in incident.receipts:
            person = incident.receipts[key]
            received_at = {person: event.at, **incident.received_at}  # keep the first
            return _answered(changed(incident, received_at=received_at), person)
        case _:
            return incident


def _answered(incident: IncidentState, person: str) -> IncidentState:
    """Return an incident with how long a person waited, if both are known by now."""
    word, sent_at = incident.first_words.get(person), incident.received_at.get(person)
    if word is None or not word.written or sent_at is None:
        return incident
    was = next(
        fact
        for fact in incident.facts
        if fact.kind == "contact" and fact.number == word.number
    )
    now = changed(was, waited=max(0, int((sent_at - word.at).total_seconds())))
    return changed(incident, facts=replaced(incident.facts, was, now))


def with_first_contact_checked(incident: IncidentState) -> IncidentState:
    """Return the incident, marked if its first resolution took more than one contact.

    A later contact or another team counts as well.
    """
    first = next((fact for fact in incident.facts if fact.kind == "resolved"), None)
    if first is None or first.word != "one_contact" or took_one_contact(incident):
        return incident
    facts = replaced(incident.facts, first, changed(first, word="more"))
    return changed(incident, facts=facts)


def took_one_contact(incident: IncidentState) -> bool:
    """Return whether its user contacted the desk once and its team stayed the same."""
    return incident.contacts <= 1 and not incident.changed_team
