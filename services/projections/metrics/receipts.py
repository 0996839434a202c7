"""The automatic receipt answers who wrote: how long they waited for it.

Contact and receipt are told by two streams; whichever is heard last finds the other.
"""

from services.projections.metrics.life import Fact, FirstWord, Life, altered, changed
from shared.domain.events.incident import IncidentContacted
from shared.domain.events.notification import NotificationRequested, NotificationSent
from shared.domain.policy.targets import Channel

WRITTEN: frozenset[Channel] = frozenset({"email", "web"})
"""Channels on which nobody is at the other end when somebody writes."""


def spoken(life: Life, event: IncidentContacted, fact: Fact) -> Life:
    """Return an incident after a contact that `fact` tells of."""
    if event.unconfirmed or event.person in life.first_words:
        return life
    written = event.channel in WRITTEN and event.waited_seconds is None
    word = FirstWord(fact.number, event.contacted_at, written)
    first_words = {**life.first_words, event.person: word}
    return _answered(altered(life, first_words=first_words), event.person)


def noticed(life: Life, event: NotificationRequested | NotificationSent) -> Life:
    """Return an incident after a notification that may be somebody's receipt."""
    match event:
        case NotificationRequested(kind="receipt", audience="user", person=str(who)):
            return altered(life, receipts={**life.receipts, event.key: who})
        case NotificationSent(key=key) if key in life.receipts:
            who = life.receipts[key]
            received_at = {who: event.at, **life.received_at}  # the first one stays
            return _answered(altered(life, received_at=received_at), who)
        case _:
            return life


def _answered(life: Life, person: str) -> Life:
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
