"""What each agreement makes of the clock it is about. Meaning only, no rule."""

from dataclasses import replace
from typing import Any, assert_never

from shared.events import SlaAgreement
from shared.events.sla_agreed import (
    SlaBreachAttributed,
    SlaExtensionAccepted,
    SlaExtensionExpired,
    SlaExtensionProposed,
    SlaExtensionRefused,
)
from shared.sla.agreement import Attribution, Extension
from shared.sla.clock import Clock


def agreed(clock: Clock, event: SlaAgreement) -> Clock:
    """Return the clock after an agreement."""
    match event:
        case SlaExtensionProposed():
            extensions = (*clock.extensions, _proposed(event))
            return replace(clock, extensions=extensions)
        case SlaExtensionAccepted():
            return _accepted(clock, event)
        case SlaExtensionRefused():
            return _answered(
                clock,
                event.extension,
                state="refused",
                answered_at=event.refused_at,
                answered_by=event.refused_by,
                recorded_by=event.by,
                channel=event.channel,
            )
        case SlaExtensionExpired():
            at = event.expired_at
            return _answered(clock, event.extension, state="expired", answered_at=at)
        case SlaBreachAttributed():
            whose = (event.party, event.who, event.by, event.at, event.evidence)
            return replace(clock, attributed=Attribution(*whose))
        case _:
            assert_never(event)


def _proposed(event: SlaExtensionProposed) -> Extension:
    return Extension(
        ref=event.extension,
        state="proposed",
        proposed_by=event.by,
        proposed_at=event.proposed_at,
        proposed_due_at=event.proposed_due_at,
        was_due_at=event.was_due_at,
        expires_at=event.expires_at,
    )


def _accepted(clock: Clock, event: SlaExtensionAccepted) -> Clock:
    """Return the clock with what was agreed, and held to it unless it was broken."""
    after = replace(
        _answered(
            clock,
            event.extension,
            state="accepted",
            answered_at=event.accepted_at,
            answered_by=event.accepted_by,
            recorded_by=event.by,
            channel=event.channel,
            after_breach=event.after_breach,
        ),
        agreed_seconds=event.seconds,
        agreed_due_at=event.agreed_due_at,
    )
    if event.after_breach:
        return after
    return replace(
        after,
        seconds=event.seconds,
        due_at=event.due_at,
        set_at=event.accepted_at,
        warned=(),
        warned_offsets=(),
        retargets=clock.retargets + 1,
    )


def _answered(clock: Clock, ref: str, **answer: Any) -> Clock:  # noqa: ANN401 # fields of it
    extensions = tuple(
        replace(each, **answer) if each.ref == ref else each
        for each in clock.extensions
    )
    return replace(clock, extensions=extensions)
