"""The outcomes of an incident's promises, and which calendar measures it.

Each clock ends once. A clock that continues after its end (`sla.continued`) has not
ended, unless it was breached: a breach remains, no matter to whom it is attributed and
what is agreed later. What support levels owe is counted separately from what users are
promised.

A breach is stored in one word with its party and a later agreement, so that it is
counted like any other end: `breached`, `breached.user`, `breached.nobody.agreed`.
"""

from typing import NamedTuple, get_args

from services.projections.metrics.state import (
    Fact,
    IncidentState,
    Kind,
    Promise,
    changed,
    replaced,
)
from shared.domain import events
from shared.domain.events.sla import OlaTarget, SlaTarget
from shared.domain.sla import is_operational
from shared.eventlog.entry import Entry

_BREACHED, _NOBODY, _AGREED = "breached", "nobody", "agreed"


class Breach(NamedTuple):
    """A breach with its attribution and a later agreement."""

    party: str | None = None
    """The party of the last attribution."""
    as_agreed: bool = False
    """Whether it met an extension agreed after the breach."""

    def word(self) -> str:
        """Return the word that is stored."""
        if self == Breach():
            return _BREACHED
        rest = (_AGREED,) if self.as_agreed else ()
        return ".".join((_BREACHED, self.party or _NOBODY, *rest))


def breach_in(word: str | None) -> Breach | None:
    """Return the breach in a stored word, None for another end."""
    what, _, rest = (word or "").partition(".")
    if what != _BREACHED:
        return None
    party, _, agreed = rest.partition(".")
    return Breach(None if party in {"", _NOBODY} else party, agreed == _AGREED)


def after_promise_event(  # noqa: PLR0911 one return a case
    incident: IncidentState, event: events.SlaEvent, entry: Entry
) -> IncidentState:
    """Return an incident after an event about one of its promises."""
    match event:
        case events.SlaArmed(target="ttr") | events.SlaRetargeted(target="ttr"):
            return changed(incident, promise=_promise(event))
        case events.SlaMet():
            return _with_dwell(
                _ended(incident, event, entry, _met(event)), event, entry
            )
        case events.SlaOverran():
            return _with_dwell(_done(incident, event), event, entry)
        case events.SlaBreachAttributed(party=party):
            return _with_breach(incident, event, party=party)
        case events.SlaContinued() if _breach(incident, event) is not None:
            return _with_breach(incident, event, as_agreed=False)
        case events.SlaBreached() | events.SlaCancelled() | events.SlaContinued():
            return _ended(incident, event, entry, _HOW.get(event.type))
        case _:
            return incident


LATE = "met_after_extension"
"""The end of a clock that met its extension, but not its original target."""


def _met(event: events.SlaMet) -> str:
    promised = event.original_seconds
    late = promised is not None and event.elapsed_seconds > promised
    return LATE if late else "met"


def _done(incident: IncidentState, event: events.SlaOverran) -> IncidentState:
    """Record whether it was done as agreed after the breach; a later end wins."""
    agreed = event.agreed_seconds
    in_time = agreed is not None and event.elapsed_seconds <= agreed
    return _with_breach(incident, event, as_agreed=in_time)


_HOW = {"sla.breached": "breached", "sla.cancelled": "cancelled"}


def _promise(event: events.SlaArmed | events.SlaRetargeted) -> Promise:
    return Promise(
        event.policy, event.contract, event.calendar, event.paused_by, event.stops_at
    )


_Ending = events.SlaMet | events.SlaBreached | events.SlaCancelled | events.SlaContinued


def _ended(
    incident: IncidentState, event: _Ending, entry: Entry, how: str | None
) -> IncidentState:
    kind, number = _place(event)
    word = event.target.removeprefix("ola_")
    fact = Fact(kind, number, entry.recorded_at, word, ended=how)
    before = _end(incident, event)
    if before is None:
        return changed(incident, facts=(*incident.facts, fact))
    if breach_in(before.ended) is not None:
        return incident
    return changed(incident, facts=replaced(incident.facts, before, fact))


def _end(incident: IncidentState, event: events.SlaEvent) -> Fact | None:
    """Return the end of an event's clock, None if it has not ended."""
    place = _place(event)
    return next((f for f in incident.facts if (f.kind, f.number) == place), None)


def _breach(incident: IncidentState, event: events.SlaEvent) -> Breach | None:
    fact = _end(incident, event)
    return breach_in(fact.ended) if fact else None


def _with_breach(
    incident: IncidentState, event: events.SlaEvent, **more: object
) -> IncidentState:
    """Return the incident with more data about a breach, whose time does not change."""
    fact, breach = _end(incident, event), _breach(incident, event)
    if fact is None or breach is None:
        return incident
    now = breach._replace(**more)  # type: ignore[arg-type] # its own fields, by name
    if now == breach:
        return incident
    word = changed(fact, ended=now.word())
    return changed(incident, facts=replaced(incident.facts, fact, word))


def _with_dwell(
    incident: IncidentState, event: events.SlaMet | events.SlaOverran, entry: Entry
) -> IncidentState:
    """Record how much of the TTR each level consumed; a later end replaces it."""
    if event.target != "ttr":
        return incident
    end = event.met_at if isinstance(event, events.SlaMet) else event.done_at
    held = sorted({"n1", *(entered.level for entered in incident.levels)})
    others = tuple(fact for fact in incident.facts if fact.kind != "dwell")
    facts = (
        Fact("dwell", int(level[1:]), entry.recorded_at, level, ended_at=end)
        for level in held
    )
    return changed(incident, facts=(*others, *facts))


_TARGETS = get_args(SlaTarget)
_OLAS = get_args(OlaTarget)
_ROUNDS_MAX = 100_000


def _place(event: events.SlaEvent) -> tuple[Kind, int]:
    """Return kind and number of an event's clock, unique within the incident."""
    place = event.cycle * _ROUNDS_MAX + min(event.round, _ROUNDS_MAX - 1)
    if is_operational(event.target):
        return "ola", place * len(_OLAS) + _OLAS.index(event.target)
    return "target", place * len(_TARGETS) + _TARGETS.index(event.target)
