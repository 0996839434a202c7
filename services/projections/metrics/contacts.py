"""Who reported an incident, who contacted the desk about it, and what it is about.

For a written contact, the waiting time ends with the automatic receipt. Contact and
receipt are events of two streams; the one processed last finds the other.
"""

from services.projections.metrics.incident_state import (
    Fact,
    FirstWord,
    IncidentState,
    added,
    altered,
    changed,
    given_to,
    last,
)
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentAssigned,
    IncidentClassified,
    IncidentContacted,
    IncidentOpened,
)
from shared.domain.events.notification import NotificationRequested, NotificationSent
from shared.domain.policy.targets import Channel
from shared.eventlog.entry import Entry

WRITTEN: frozenset[Channel] = frozenset({"email", "web"})
"""Channels on which people write without anybody at the other end."""


def spoken(life: IncidentState, event: IncidentContacted, fact: Fact) -> IncidentState:
    """Return an incident after the contact that `fact` describes."""
    if event.unconfirmed or event.person in life.first_words:
        return life
    written = event.channel in WRITTEN and event.waited_seconds is None
    word = FirstWord(fact.number, event.contacted_at, written)
    first_words = {**life.first_words, event.person: word}
    return _answered(altered(life, first_words=first_words), event.person)


def noticed(
    life: IncidentState, event: NotificationRequested | NotificationSent
) -> IncidentState:
    """Return an incident after a notification that may be a receipt."""
    match event:
        case NotificationRequested(kind="receipt", audience="user", person=str(who)):
            return altered(life, receipts={**life.receipts, event.key: who})
        case NotificationSent(key=key) if key in life.receipts:
            who = life.receipts[key]
            received_at = {who: event.at, **life.received_at}  # keep the first one
            return _answered(altered(life, received_at=received_at), who)
        case _:
            return life


def _answered(life: IncidentState, person: str) -> IncidentState:
    word, sent_at = life.first_words.get(person), life.received_at.get(person)
    if word is None or not word.written or sent_at is None:
        return life
    was = next(
        fact
        for fact in life.facts
        if fact.kind == "contact" and fact.number == word.number
    )
    waited = max(0, int((sent_at - word.at).total_seconds()))
    return altered(life, facts=changed(life.facts, was, altered(was, waited=waited)))


def heard(life: IncidentState, event: IncidentEvent, entry: Entry) -> IncidentState:
    """Return an incident after an event that does not change its state or team."""
    match event:
        case IncidentOpened():
            return _reported(life, entry) if event.reporter else _noticed(life, entry)
        case IncidentContacted(direction="inbound"):
            return _contacted(life, event, entry)
        case IncidentClassified():
            dims = altered(
                life.dims,
                service=event.service,
                client=event.client,
                priority=event.priority,
                category=event.category,
            )
            return altered(life, dims=dims)
        case IncidentAssigned(team=team):
            return given_to(life, team, entry.recorded_at)
        case _:
            return life


def judged(life: IncidentState) -> IncidentState:
    """Return the incident, marked if its first resolution took more than one contact.

    A later contact or another team counts as well.
    """
    first = next((fact for fact in life.facts if fact.kind == "resolved"), None)
    if first is None or first.word != "one_contact" or took_one_contact(life):
        return life
    facts = changed(life.facts, first, altered(first, word="more"))
    return altered(life, facts=facts)


def took_one_contact(life: IncidentState) -> bool:
    """Return whether its user contacted the desk once and its team stayed the same."""
    return life.contacts <= 1 and not life.changed_team


def _noticed(life: IncidentState, entry: Entry) -> IncidentState:
    """Count an incident that no user reported, unless it was split off another one."""
    if life.origin == "split":
        return life
    word = "monitoring_only" if life.origin == "monitoring" else "desk"
    fact = Fact("reported", 0, entry.recorded_at, word)
    return altered(life, facts=added(life.facts, fact))


def _reported(life: IncidentState, entry: Entry) -> IncidentState:
    """Count the report of a user instead of what was counted before."""
    if life.user_reported or life.origin == "split":
        return life
    both = life.origin == "monitoring"
    word = "monitoring_then_user" if both else "user_only"
    before = last(life.facts, "reported")
    fact = Fact("reported", 1, entry.recorded_at, word)
    facts = changed(life.facts, before, fact) if before else added(life.facts, fact)
    return altered(life, user_reported=True, facts=facts)


def _contacted(
    life: IncidentState, event: IncidentContacted, entry: Entry
) -> IncidentState:
    if not event.unconfirmed:
        life = _reported(life, entry)
    fact = Fact(
        "contact",
        0,
        entry.recorded_at,
        event.channel,
        ended="abandoned" if event.abandoned else None,
        waited=event.waited_seconds,
    )
    facts = added(life.facts, fact)
    after = altered(
        life,
        dims=altered(life.dims, channel=life.dims.channel or event.channel),
        contacts=life.contacts + 1,
        facts=facts,
    )
    return spoken(after, event, facts[-1])
