"""Who reported an incident, who was in touch about it, and what it is about."""

from services.projections.metrics.life import (
    Fact,
    Life,
    added,
    altered,
    changed,
    given_to,
    last,
)
from services.projections.metrics.receipts import spoken
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentAssigned,
    IncidentClassified,
    IncidentContacted,
    IncidentOpened,
)
from shared.eventlog.entry import Entry


def heard(life: Life, event: IncidentEvent, entry: Entry) -> Life:
    """Return an incident after an event that tells about it without moving it."""
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


def judged(life: Life) -> Life:
    """Return an incident whose first resolution took more than one contact, if so.

    A contact or another team that comes after it counts as well.
    """
    first = next((fact for fact in life.facts if fact.kind == "resolved"), None)
    if first is None or first.word != "one_contact" or took_one_contact(life):
        return life
    facts = changed(life.facts, first, altered(first, word="more"))
    return altered(life, facts=facts)


def took_one_contact(life: Life) -> bool:
    """Tell whether its user was in touch once, and its team stayed the same."""
    return life.contacts <= 1 and not life.changed_team


def _noticed(life: Life, entry: Entry) -> Life:
    """Count who noticed it without a user; one split off was counted before."""
    if life.origin == "split":
        return life
    word = "monitoring_only" if life.origin == "monitoring" else "desk"
    fact = Fact("reported", 0, entry.recorded_at, word)
    return altered(life, facts=added(life.facts, fact))


def _reported(life: Life, entry: Entry) -> Life:
    """Count the report of a user, in place of what was counted without one."""
    if life.user_reported or life.origin == "split":
        return life
    both = life.origin == "monitoring"
    word = "monitoring_then_user" if both else "user_only"
    before = last(life.facts, "reported")
    fact = Fact("reported", 1, entry.recorded_at, word)
    facts = changed(life.facts, before, fact) if before else added(life.facts, fact)
    return altered(life, user_reported=True, facts=facts)


def _contacted(life: Life, event: IncidentContacted, entry: Entry) -> Life:
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
