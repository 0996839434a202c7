"""A promise about an incident as an answer shows it.

Who consumed the working time of a promise, as an answer shows it.

Longer delays, and whose a breach is, as an answer shows them.
"""

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
    """Open hours in which it was the turn of a party."""

    party: Party
    """`user` and `vendor` while it waited for them, `provider` else."""
    passed_seconds: int
    counted_seconds: int
    """What of them counts in the promise; a pause that the contract names does not."""


class ConsumptionView(Answer):
    """Who consumed a promise; the levels add up, and so do the parties."""

    until: AwareDatetime
    """The instant of the answer, or when the promise ended if before."""
    seconds: int
    """The sum of `levels`, and of what is counted of `parties`."""
    passed_seconds: int
    """Open hours since it began; the sum of what passed of `parties`."""
    levels: list[LevelView]
    parties: list[ShareView]

    @classmethod
    def of(cls, consumption: Consumption) -> Self:
        """Return the view of what was consumed."""
        return cls(
            until=consumption.until,
            seconds=consumption.seconds,
            passed_seconds=consumption.passed,
            levels=[
                LevelView(level=level, seconds=seconds)
                for level, seconds in consumption.levels.items()
            ],
            parties=[
                ShareView(
                    party=share.party,
                    passed_seconds=share.passed,
                    counted_seconds=share.counted,
                )
                for share in consumption.shares
            ],
        )


class ExtensionView(Answer):
    """A longer delay that the users were asked for, and what they said."""

    ref: ExtensionRef
    state: ExtensionState
    proposed_by: Actor
    proposed_at: AwareDatetime
    proposed_due_at: AwareDatetime
    was_due_at: AwareDatetime | None
    """When it was due then; null while it stood."""
    reason: str | None
    """Why it was asked for, as the users read it."""
    expires_at: AwareDatetime
    answered_at: AwareDatetime | None
    answered_by: PersonId | None
    """Whose word it is."""
    recorded_by: Actor | None
    """Who took it down."""
    channel: Channel | None
    evidence: str | None
    after_breach: bool
    """It was accepted when the promise was broken already: the breach stays."""

    @classmethod
    def of(cls, extension: Extension, words: Wording) -> Self:
        """Return the view of a longer delay."""
        known = {
            "reason": words.reasons.get(extension.ref),
            "evidence": words.evidence.get(extension.ref),
        }
        return cls.model_validate({**extension.__dict__, **known})


class AttributionView(Answer):
    """Whose a breach is, by the last word of a manager."""

    party: Party
    """`provider` is us."""
    who: PersonId | None
    reason: str | None
    evidence: list[int]
    """Positions in the log of what shows it."""
    by: Actor
    at: AwareDatetime

    @classmethod
    def of(cls, clock: Clock, words: Wording) -> Self | None:
        """Return the view of whose the breach of a clock is, None where nobody said."""
        if clock.attributed is None:
            return None
        reason = words.attributions.get(clock.name)
        return cls.model_validate({**clock.attributed.__dict__, "reason": reason})


class PromiseView(Answer):
    """A target of a cycle and how it stands; seconds are working time of `calendar`."""

    target: Target
    cycle: int
    round: int
    """Counts the promises to tell the user within a cycle; else 1."""
    state: State
    policy: int
    """The version that promises it."""
    contract: str
    candidates: list[str]
    """All contracts that promise something; `contract` is the strictest of them."""
    calendar: str
    target_seconds: int
    """What counts: what is promised, or what was agreed if that is more."""
    original_seconds: int
    """What the contract promises, whatever was agreed."""
    started_at: AwareDatetime
    due_at: AwareDatetime | None
    """None while it stands, or nothing is left to keep."""
    original_due_at: AwareDatetime | None
    """When it would be due had nobody agreed to more."""
    agreed_seconds: int | None
    """What a user has agreed to, also after a breach."""
    agreed_due_at: AwareDatetime | None
    """The instant that was agreed on; pauses since then have moved `due_at`."""
    extensions: list[ExtensionView]
    """Longer delays that were asked for, in order."""
    elapsed_seconds: int | None
    left_seconds: int | None
    """At the instant of the answer; negative: so much over."""
    warned: list[int]
    """Shares of the target, in percent, at which the desk was warned."""
    warned_offsets: list[int]
    """Working seconds from where it is due at which it was, too; negative: before."""
    breached_at: AwareDatetime | None
    detected_at: AwareDatetime | None
    """When the breach was noticed, which may be later."""
    ended_at: AwareDatetime | None
    """When it was met, cancelled, or done too late."""
    overrun_seconds: int | None
    """By how much it was done too late."""
    attributed: AttributionView | None
    """Whose the breach is, where a manager said so."""

    @classmethod
    def of(cls, standing: ClockState, words: Wording) -> Self:
        """Return the view of a clock that stands like this, with people's words."""
        clock = standing.clock
        return cls(
            target=clock.name.target,
            cycle=clock.name.cycle,
            round=clock.name.round,
            state=clock.state,
            policy=clock.policy,
            contract=clock.contract,
            candidates=list(clock.candidates),
            calendar=clock.calendar,
            target_seconds=clock.seconds,
            original_seconds=clock.original_seconds,
            started_at=clock.started_at,
            due_at=clock.due_at,
            original_due_at=standing.original_due_at,
            agreed_seconds=clock.agreed_seconds,
            agreed_due_at=clock.agreed_due_at,
            extensions=[ExtensionView.of(each, words) for each in clock.extensions],
            elapsed_seconds=standing.elapsed,
            left_seconds=standing.left,
            warned=list(clock.warned),
            warned_offsets=list(clock.warned_offsets),
            breached_at=clock.breached_at,
            detected_at=clock.detected_at,
            ended_at=clock.ended_at,
            overrun_seconds=clock.overrun_seconds,
            attributed=AttributionView.of(clock, words),
        )


def views(
    standings: Iterable[ClockState], words: Wording, *, operational: bool
) -> list[PromiseView]:
    """Return the views of what was promised, or of what support levels owe."""
    return [
        PromiseView.of(each, words)
        for each in standings
        if is_operational(each.clock.name.target) is operational
    ]
