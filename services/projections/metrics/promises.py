"""Measures incidents by the calendar and pauses of their promises, and the outcomes.

Each clock ends once. A clock that continues after its end (`sla.continued`) has not
ended, unless it was breached: a breach remains, no matter to whom it is attributed and
what is agreed later. What support levels owe is counted separately from what users are
promised.

A breach is stored in one word with its party and a later agreement, so that it is
counted like any other end: `breached`, `breached.user`, `breached.nobody.agreed`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple, get_args

from services.projections.metrics.incident_state import (
    Fact,
    IncidentState,
    Kind,
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
from shared.domain.policy.document import Policy
from shared.domain.policy.targets import Channel
from shared.domain.sla import is_operational
from shared.domain.working_time import ALWAYS, Hours, Span, elapsed, hours_of
from shared.eventlog.entry import Entry

Policies = Mapping[int, Policy]
"""Policies by version."""


class Clocks(NamedTuple):
    """The data needed to measure an incident."""

    life: IncidentState
    hours: Hours
    answer_seconds: Mapping[str, int]
    """The target for answering a contact, by channel."""

    def measured(self, fact: Fact) -> tuple[int | None, int | None]:
        """Return the working and the wall-clock seconds of a fact, if any."""
        start = self.life.reported_at
        match fact:
            case Fact(kind="waiting", word="first", ended="acknowledged", ended_at=at):
                if at is not None:
                    return elapsed(self.hours, start, at), elapsed(ALWAYS, start, at)
            case Fact(kind="restored" | "resolved", began_at=at):
                if at is not None:
                    over = self._over(fact.kind, at)
                    stood = [*over, *self._paused(at)]
                    working = elapsed(self.hours, start, at, stood)
                    return working, elapsed(ALWAYS, start, at, over)
            case Fact(kind="dwell", ended_at=at) if at is not None:
                return self._held(fact.word, at), None
        return None, None

    def answered(self, fact: Fact) -> str:
        """Return whether a contact was answered in time."""
        target = self.answer_seconds.get(fact.word)
        if fact.ended:
            return fact.ended
        if fact.waited is None:
            return "unknown"
        if target is None:
            return "without_target"
        return "in_time" if fact.waited <= target else "late"

    def _held(self, level: str, end: datetime) -> int:
        """Return how much of the TTR a level consumed; the levels add up to it."""
        promise = self.life.promise
        over = self._over("resolved", end)
        if promise is None or promise.stops_at == "restored":
            over += self._over("restored", end)
        stood = [*over, *self._paused(end)]
        turns = [("n1", self.life.reported_at)]
        turns += [(entered.level, entered.at) for entered in self.life.levels]
        ends = (*turns, ("", end))
        return sum(
            elapsed(self.hours, since, min(until, end), stood)
            for (name, since), (_, until) in pairwise(ends)
            if name == level
        )

    def _over(self, kind: Kind, before: datetime) -> list[Span]:
        """Return the spans in which it was resolved and was reopened later."""
        return [
            (was.began_at, was.ended_at)
            for was in self.life.facts
            if was.kind == kind
            and was.began_at
            and was.ended_at
            and was.began_at < before
        ]

    def _paused(self, before: datetime) -> list[Span]:
        """Return the pauses that stop the clock under the contract."""
        names: Sequence[str] = self.life.promise.paused_by if self.life.promise else ()
        return [
            (pause.since, pause.until or max(before, pause.since))
            for pause in self.life.pauses
            if pause.reason in names
        ]


def _answer(policy: Policy, contract: str) -> Mapping[Channel, timedelta]:
    """Return the targets for answering contacts; empty if unknown."""
    try:
        return policy.targets[policy.contract(contract).targets].answer
    except LookupError:
        return {}


def clocks(life: IncidentState, policies: Policies) -> Clocks:
    """Return how to measure an incident; around the clock without a contract."""
    promise = life.promise
    policy = policies.get(promise.policy) if promise else None
    if promise is None or policy is None:
        return Clocks(life, ALWAYS, {})
    calendar = policy.calendars.get(promise.calendar)
    answer = _answer(policy, promise.contract)
    return Clocks(
        life,
        hours_of(calendar) if calendar else ALWAYS,
        {channel: int(limit.total_seconds()) for channel, limit in answer.items()},
    )


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


def promised(  # noqa: PLR0911 one return a case
    life: IncidentState, event: SlaEvent, entry: Entry
) -> IncidentState:
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
"""The end of a clock that met its extension, but not its original target."""


def _met(event: SlaMet) -> str:
    promised = event.original_seconds
    late = promised is not None and event.elapsed_seconds > promised
    return LATE if late else "met"


def _done(life: IncidentState, event: SlaOverran) -> IncidentState:
    """Record whether it was done as agreed after the breach; a later end wins."""
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


def _ended(
    life: IncidentState, event: _End, entry: Entry, how: str | None
) -> IncidentState:
    kind, number = _place(_clock(event))
    word = event.target.removeprefix("ola_")
    fact = Fact(kind, number, entry.recorded_at, word, ended=how)
    before = _of(life, event)
    if before is None:
        return altered(life, facts=(*life.facts, fact))
    if breach_in(before.ended) is not None:
        return life
    return altered(life, facts=changed(life.facts, before, fact))


def _of(life: IncidentState, event: SlaEvent) -> Fact | None:
    """Return the end of an event's clock, None if it has not ended."""
    place = _place(_clock(event))
    return next((f for f in life.facts if (f.kind, f.number) == place), None)


def _breach(life: IncidentState, event: SlaEvent) -> Breach | None:
    fact = _of(life, event)
    return breach_in(fact.ended) if fact else None


def _told(life: IncidentState, event: SlaEvent, **more: object) -> IncidentState:
    """Return the incident with more data about a breach, whose time does not change."""
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


def _held(
    life: IncidentState, event: SlaMet | SlaOverran, entry: Entry
) -> IncidentState:
    """Record how much of the TTR each level consumed; a later end replaces it."""
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
    """Return the kind and number of a clock, unique within the incident."""
    place = clock.cycle * _ROUNDS_MAX + min(clock.round, _ROUNDS_MAX - 1)
    if is_operational(clock.target):
        return "ola", place * len(_OLAS) + _OLAS.index(clock.target)
    return "target", place * len(_TARGETS) + _TARGETS.index(clock.target)
