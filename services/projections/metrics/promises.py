"""What became of the promises about an incident: each clock ends once.

A clock that goes on after its end (`sla.continued`) has not ended, unless it was
breached: a breach stays.
"""

from typing import NamedTuple

from services.projections.metrics.life import Fact, Life, Promise, altered, changed
from shared.entry import Entry
from shared.events import SlaEvent
from shared.events.sla import (
    SlaArmed,
    SlaBreached,
    SlaCancelled,
    SlaContinued,
    SlaMet,
    SlaRetargeted,
)


def promised(life: Life, event: SlaEvent, entry: Entry) -> Life:
    """Return an incident after an event about one of its promises."""
    match event:
        case SlaArmed(target="ttr") | SlaRetargeted(target="ttr"):
            promise = Promise(
                event.policy, event.contract, event.calendar, event.paused_by
            )
            return altered(life, promise=promise)
        case SlaMet():
            return _ended(life, event, entry, "met")
        case SlaBreached():
            return _ended(life, event, entry, "breached")
        case SlaCancelled():
            return _ended(life, event, entry, "cancelled")
        case SlaContinued():
            return _ended(life, event, entry, None)
        case _:
            return life


_End = SlaMet | SlaBreached | SlaCancelled | SlaContinued


class _Clock(NamedTuple):
    target: str
    cycle: int
    round: int


def _ended(life: Life, event: _End, entry: Entry, how: str | None) -> Life:
    clock = _Clock(event.target, event.cycle, event.round)
    fact = Fact("target", _number(clock), entry.recorded_at, event.target, ended=how)
    before = next(
        (f for f in life.facts if f.kind == "target" and f.number == fact.number), None
    )
    if before is None:
        return altered(life, facts=(*life.facts, fact))
    if before.ended == "breached":
        return life
    return altered(life, facts=changed(life.facts, before, fact))


_TARGETS = ("tto", "ttr", "update")
_ROUNDS_MAX = 100_000


def _number(clock: _Clock) -> int:
    """Return one number for a clock, the same for no other of the incident."""
    place = clock.cycle * _ROUNDS_MAX + min(clock.round, _ROUNDS_MAX - 1)
    return place * len(_TARGETS) + _TARGETS.index(clock.target)
