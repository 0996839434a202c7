"""The outcome of the promises about an incident: each clock ends once.

A clock that goes on after its end (`sla.continued`) has not ended, unless it was
breached: a breach stays, whoever it is attributed to and whatever is agreed later.
What support levels owe is counted apart, never among what users are promised.
"""

from typing import NamedTuple, get_args

from services.projections.metrics.breaches import Breach, breach_in
from services.projections.metrics.life import (
    Fact,
    Kind,
    Life,
    Promise,
    altered,
    changed,
)
from shared.domain.events import SlaEvent
from shared.domain.events.sla import (
    OlaTarget,
    SlaArmed,
    SlaBreachAttributed,
    SlaBreached,
    SlaCancelled,
    SlaContinued,
    SlaMet,
    SlaOverran,
    SlaRetargeted,
    SlaTarget,
    Target,
)
from shared.domain.sla import is_operational
from shared.eventlog.entry import Entry


def promised(  # noqa: PLR0911 one return a case
    life: Life, event: SlaEvent, entry: Entry
) -> Life:
    """Return an incident after an event about one of its promises."""
    match event:
        case SlaArmed(target="ttr") | SlaRetargeted(target="ttr"):
            return altered(life, promise=_promise(event))
        case SlaMet():
            return _held(_ended(life, event, entry, _met(event)), event, entry)
        case SlaOverran():
            return _held(_done(life, event), event, entry)
        case SlaBreachAttributed(party=party):
            return _told(life, event, party=party)
        case SlaContinued() if _breach(life, event) is not None:
            return _told(life, event, as_agreed=False)
        case SlaBreached() | SlaCancelled() | SlaContinued():
            return _ended(life, event, entry, _HOW.get(event.type))
        case _:
            return life


LATE = "met_after_extension"
"""How a clock ended that was kept as agreed and not as first promised."""


def _met(event: SlaMet) -> str:
    promised = event.original_seconds
    late = promised is not None and event.elapsed_seconds > promised
    return LATE if late else "met"


def _done(life: Life, event: SlaOverran) -> Life:
    """Tell whether it was done as agreed after the breach; a later end overrides it."""
    agreed = event.agreed_seconds
    in_time = agreed is not None and event.elapsed_seconds <= agreed
    return _told(life, event, as_agreed=in_time)


_HOW = {"sla.breached": "breached", "sla.cancelled": "cancelled"}


def _promise(event: SlaArmed | SlaRetargeted) -> Promise:
    return Promise(
        event.policy, event.contract, event.calendar, event.paused_by, event.stops_at
    )


_End = SlaMet | SlaBreached | SlaCancelled | SlaContinued


class _Clock(NamedTuple):
    target: Target
    cycle: int
    round: int


def _ended(life: Life, event: _End, entry: Entry, how: str | None) -> Life:
    kind, number = _place(_clock(event))
    word = event.target.removeprefix("ola_")
    fact = Fact(kind, number, entry.recorded_at, word, ended=how)
    before = _of(life, event)
    if before is None:
        return altered(life, facts=(*life.facts, fact))
    if breach_in(before.ended) is not None:
        return life
    return altered(life, facts=changed(life.facts, before, fact))


def _of(life: Life, event: SlaEvent) -> Fact | None:
    """Return how the clock of an event ended, None where it has not."""
    place = _place(_clock(event))
    return next((f for f in life.facts if (f.kind, f.number) == place), None)


def _breach(life: Life, event: SlaEvent) -> Breach | None:
    fact = _of(life, event)
    return breach_in(fact.ended) if fact else None


def _told(life: Life, event: SlaEvent, **more: object) -> Life:
    """Return the life with more about a breach; it was when it was."""
    fact, breach = _of(life, event), _breach(life, event)
    if fact is None or breach is None:
        return life
    now = breach._replace(**more)  # type: ignore[arg-type] # its own fields, by name
    if now == breach:
        return life
    word = altered(fact, ended=now.word())
    return altered(life, facts=changed(life.facts, fact, word))


def _clock(event: SlaEvent) -> _Clock:
    return _Clock(event.target, event.cycle, event.round)


def _held(life: Life, event: SlaMet | SlaOverran, entry: Entry) -> Life:
    """Tell by level what TTR has consumed; a later end overrides it."""
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


_TARGETS = get_args(SlaTarget)
_OLAS = get_args(OlaTarget)
_ROUNDS_MAX = 100_000


def _place(clock: _Clock) -> tuple[Kind, int]:
    """Return kind and number of a clock, the same for no other of the incident."""
    place = clock.cycle * _ROUNDS_MAX + min(clock.round, _ROUNDS_MAX - 1)
    if is_operational(clock.target):
        return "ola", place * len(_OLAS) + _OLAS.index(clock.target)
    return "target", place * len(_TARGETS) + _TARGETS.index(clock.target)
