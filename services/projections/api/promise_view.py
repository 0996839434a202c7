"""A promise about an incident as an answer shows it."""

from collections.abc import Iterable
from typing import Self

from pydantic import AwareDatetime

from services.projections.api.agreement_view import AttributionView, ExtensionView
from services.projections.api.answers import Answer
from services.projections.incident.agreements import Wording
from services.projections.incident.promises import Standing
from shared.domain.events.sla import Target
from shared.domain.sla import State, is_operational


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
    def of(cls, standing: Standing, words: Wording) -> Self:
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
    standings: Iterable[Standing], words: Wording, *, operational: bool
) -> list[PromiseView]:
    """Return the views of what was promised, or of what support levels owe."""
    return [
        PromiseView.of(each, words)
        for each in standings
        if is_operational(each.clock.name.target) is operational
    ]
