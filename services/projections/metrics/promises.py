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
    SlaOverran,
    SlaRetargeted,
)


def promised(life: Life, event: SlaEvent, entry: Entry) -> Life:
    """Return an incident after an event about one of its promises."""
    match event:
        case SlaArmed(target="ttr") | SlaRetargeted(target="ttr"):
            return altered(life, promise=_promise(event))
        case SlaMet():
            return _held(_ended(life, event, entry, "met"), event, entry)
        case SlaOverran():
            return _held(life, event, entry)
        case SlaBreached() | SlaCancelled() | SlaContinued():
            return _ended(life, event, entry, _HOW.get(event.type))
        case _:
            return life


_HOW = {"sla.breached": "breached", "sla.cancelled": "cancelled"}


def _promise(event: SlaArmed | SlaRetargeted) -> Promise:
    return Promise(
        event.policy, event.contract, event.calendar, event.paused_by, event.stops_at
    )


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


def _held(life: Life, event: SlaMet | SlaOverran, entry: Entry) -> Life:
    """Tell by level what TTR has consumed; a later end tells it anew."""
    if event.target != "ttr":
        return life
    end = event.met_at if isinstance(event, SlaMet) else event.done_at
    held = sorted({"n1", *(entered.level for entered in life.levels)})
    others = tuple(fact for fact in life.facts if fact.kind != "dwell")
    facts = (
        Fact("dwell", int(level[1:]), entry.recorded_at, level, ended_at=end)
        for level in held
    )
    return altered(life, facts=(*others, *facts))


_TARGETS = ("tto", "ttr", "update")
_ROUNDS_MAX = 100_000


def _number(clock: _Clock) -> int:
    """Return one number for a clock, the same for no other of the incident."""
    place = clock.cycle * _ROUNDS_MAX + min(clock.round, _ROUNDS_MAX - 1)
    return place * len(_TARGETS) + _TARGETS.index(clock.target)
