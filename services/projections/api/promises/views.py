"""Views of promises: state, consumed time, extensions and attribution of breaches."""

from collections.abc import Iterable
from typing import Self

from pydantic import AwareDatetime

from services.projections.api.answers import Answer
from services.projections.history.history import ClockState, Wording
from shared.domain.events.event import Actor
from shared.domain.events.incident import PersonId
from shared.domain.events.sla import Party, Target
from shared.domain.identifiers import ExtensionRef
from shared.domain.policy.targets import Channel, SupportLevel
from shared.domain.sla import Clock, Consumption, Extension, State, is_operational
from shared.domain.sla.clock import ExtensionState


class LevelView(Answer):
    """Working seconds of the promise that a support level consumed."""

    level: SupportLevel
    seconds: int


class ShareView(Answer):
    """Open hours during which a party had to act."""

    party: Party
    """`user` and `vendor` while it waited for them, otherwise `provider`."""
    passed_seconds: int
    counted_seconds: int
    """The part that counts towards the promise; pauses named in the contract do not."""


class ConsumptionView(Answer):
    """Who consumed the time of a promise; levels and parties each add up to it."""

    until: AwareDatetime
    """The instant of the answer, or the end of the promise if that was earlier."""
    seconds: int
    """The sum over `levels`, and of the counted seconds of `parties`."""
    passed_seconds: int
    """Open hours since it began; the sum of the passed seconds of `parties`."""
    levels: list[LevelView]
    parties: list[ShareView]

    @classmethod
    def of(cls, consumption: Consumption) -> Self:
        """Return the view of consumed time."""
        return cls(
            until=consumption.until,
            seconds=consumption.seconds,
            passed_seconds=consumption.passed,
            levels=[
                LevelView(level=level, seconds=seconds)
                for level, seconds in consumption.levels.items()
            ],
            parties=[
                ShareView(party=party, passed_seconds=passed, counted_seconds=counted)
                for party, passed, counted in consumption.shares
            ],
        )


class ExtensionView(Answer):
    """An extension that was proposed to the users, and their answer."""

    ref: ExtensionRef
    state: ExtensionState
    proposed_by: Actor
    proposed_at: AwareDatetime
    proposed_due_at: AwareDatetime
    was_due_at: AwareDatetime | None
    """When the promise was due at that time; null while it was paused."""
    reason: str | None
    """The reason given to the users."""
    expires_at: AwareDatetime
    answered_at: AwareDatetime | None
    answered_by: PersonId | None
    """The person who answered."""
    recorded_by: Actor | None
    """Who recorded the answer."""
    channel: Channel | None
    evidence: str | None
    after_breach: bool
    """Whether it was accepted after the breach, which then remains a breach."""

    @classmethod
    def of(cls, extension: Extension, words: Wording) -> Self:
        """Return the view of an extension."""
        known = {
            "reason": words.reasons.get(extension.ref),
            "evidence": words.evidence.get(extension.ref),
        }
        return cls.model_validate({**extension.__dict__, **known})


class AttributionView(Answer):
    """The party to which a manager last attributed a breach."""

    party: Party
    """`provider` is the desk's own organisation."""
    who: PersonId | None
    reason: str | None
    evidence: list[int]
    """Positions in the log of the events that prove it."""
    by: Actor
    at: AwareDatetime

    @classmethod
    def of(cls, clock: Clock, words: Wording) -> Self | None:
        """Return the view of a clock's attribution, None without one."""
        if clock.attributed is None:
            return None
        reason = words.attributions.get(clock.name)
        return cls.model_validate({**clock.attributed.__dict__, "reason": reason})


class PromiseView(Answer):
    """A target of a cycle and its state; seconds are working time of `calendar`."""

    target: Target
    cycle: int
    round: int
    """The number of the update promise within a cycle; 1 for other targets."""
    state: State
    policy: int
    """The policy version it was made under."""
    contract: str
    candidates: list[str]
    """All contracts that apply; `contract` is the strictest of them."""
    calendar: str
    target_seconds: int
    """The target that counts: the promised one, or the agreed one if longer."""
    original_seconds: int
    """The target of the contract, regardless of extensions."""
    started_at: AwareDatetime
    due_at: AwareDatetime | None
    """Null while it is paused, or if it no longer runs."""
    original_due_at: AwareDatetime | None
    """When it would be due without extensions."""
    agreed_seconds: int | None
    """The target to which a user agreed, also after a breach."""
    agreed_due_at: AwareDatetime | None
    """The agreed instant; pauses since then have moved `due_at`."""
    extensions: list[ExtensionView]
    """The extensions that were proposed, in order."""
    elapsed_seconds: int | None
    left_seconds: int | None
    """The time left at the instant of the answer; negative if overdue."""
    warned: list[int]
    """Percentages of the target at which the desk was warned."""
    warned_offsets: list[int]
    """Other warnings, in working seconds relative to the due date; negative: before."""
    breached_at: AwareDatetime | None
    detected_at: AwareDatetime | None
    """When the breach was noticed, which may be later."""
    ended_at: AwareDatetime | None
    """When it was met, cancelled, or completed late."""
    overrun_seconds: int | None
    """How late it was completed."""
    attributed: AttributionView | None
    """The party to which a manager attributed the breach, if any."""

    @classmethod
    def of(cls, standing: ClockState, words: Wording) -> Self:
        """Return the view of a clock in this state, with the texts people wrote."""
        clock = standing.clock
        known = {
            "target_seconds": clock.seconds,
            "original_due_at": standing.original_due_at,
            "extensions": [ExtensionView.of(each, words) for each in clock.extensions],
            "elapsed_seconds": standing.elapsed,
            "left_seconds": standing.left,
            "attributed": AttributionView.of(clock, words),
        }
        return cls.model_validate({**clock.__dict__, **clock.name._asdict(), **known})


def views(
    standings: Iterable[ClockState], words: Wording, *, operational: bool
) -> list[PromiseView]:
    """Return the views of promises to users, or of what support levels owe."""
    return [
        PromiseView.of(each, words)
        for each in standings
        if is_operational(each.clock.name.target) is operational
    ]
