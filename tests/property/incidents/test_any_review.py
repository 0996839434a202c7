"""The facts and figures of a review are what the log has, in every history."""

from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.domain import events
from shared.domain.events import AnyEvent
from shared.domain.review.facts import Logged, facts_of, figures_of
from tests.support.builders.reviews import BREACH, CONTACT, about, outage

_KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("incident.contacted", {**CONTACT, "person": "costa"}),
    ("incident.acknowledged", {}),
    ("incident.informed", {"message": "Encore"}),
    ("incident.noted", {"note": "Interne"}),
    ("incident.restored", {}),
    ("incident.relapsed", {}),
    ("incident.resolved", {"cycle": 1}),
    ("incident.reopened", {"cycle": 2, "cause": "user", "after_closure": False}),
    ("sla.breached", BREACH),
    ("sla.breached", {**BREACH, "target": "update"}),
)
_later = st.lists(
    st.tuples(st.sampled_from(_KINDS), st.integers(0, 300)), max_size=30
).map(
    lambda found: [
        about(kind, minutes, **{"by": "person:tariq", **more})
        for (kind, more), minutes in found
    ]
)


@given(_later, st.randoms(use_true_random=False))
def test_facts_are_entries_of_the_log_in_any_order_of_its_streams(
    later: list[AnyEvent], random: Random
) -> None:
    history = [Logged(n, event) for n, event in enumerate([*outage(), *later], 1)]
    read = [*history]
    random.shuffle(read)

    facts = facts_of(read)

    by_position = dict(history)
    assert all(by_position[fact.position] is fact.event for fact in facts)
    assert len({fact.position for fact in facts}) == len(facts)
    assert [*facts] == sorted(facts, key=lambda fact: (fact.at, fact.position))
    shown = {fact.position for fact in facts}
    for position, event in history:
        match event:
            case events.IncidentContacted():
                continue
            case events.IncidentNoted():
                assert position not in shown
            case events.SlaBreached(target=target):
                assert (position in shown) == (target == "ttr")
            case _:
                assert position in shown
    assert sum(fact.event.type == "incident.contacted" for fact in facts) == 1


@given(_later)
def test_figures_count_what_happened_and_no_earlier_edition_changes(
    later: list[AnyEvent],
) -> None:
    before = [Logged(n, event) for n, event in enumerate(outage(), 1)]
    after = [*before, *(Logged(n, e) for n, e in enumerate(later, len(before) + 1))]

    figures = figures_of(after)

    assert figures is not None
    happened = [event for _, event in after]
    informed = sum(isinstance(e, events.IncidentInformed) for e in happened)
    assert figures.messages == informed
    broken = any(
        isinstance(e, events.SlaBreached) and e.target == "ttr" for e in happened
    )
    assert (figures.broken, figures.kept) == (int(broken), 0)
    assert figures.acknowledged_seconds == timedelta(minutes=12).total_seconds()
    # An edition names the position up to which it was read: the rest does not count.
    upto = len(before)
    assert figures_of([e for e in after if e.position <= upto]) == figures_of(before)
