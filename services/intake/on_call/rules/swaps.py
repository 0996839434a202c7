"""Swaps: asked for by one person, and of no effect until the other consents. Pure."""

from collections.abc import Sequence

from services.intake.on_call.rules.context import (
    OWN_ONLY,
    Changer,
    is_withdrawable,
    later_period_of,
    require_at_the_desk,
    require_on_call,
    unknown_change,
)
from shared.domain.commands.on_call import (
    AcceptSwap,
    DeclineSwap,
    RequestSwap,
    WithdrawSwap,
)
from shared.domain.events.on_call import (
    SwapAccepted,
    SwapDeclined,
    SwapRequested,
    SwapWithdrawn,
)
from shared.domain.on_call import Roster
from shared.domain.on_call.schedule_changes import RecordedSwap, ScheduleChanges
from shared.domain.refusal import Refused


def swap_request(
    command: RequestSwap, roster: Roster, id_: str, changer: Changer
) -> SwapRequested:
    """Return the request of a swap; raises `Refused`."""
    me, role = changer.person, command.role
    if not me:
        raise Refused("only a person can ask that", "role")
    if command.other == me:
        raise Refused("nobody swaps with themselves: name another", "invalid", "other")
    period = later_period_of(command.start, command.end, changer.at, ("start", "end"))
    require_at_the_desk(command.other, changer, "other")
    require_on_call(roster, me, role, period, "start")
    if command.other_start is not None and command.other_end is not None:
        names = "other_start", "other_end"
        start, end = command.other_start, command.other_end
        exchange = later_period_of(start, end, changer.at, names)
        if exchange[0] < period[1] and period[0] < exchange[1]:
            raise Refused(
                "the two periods overlap: swap one after the other",
                "invalid",
                "other_start",
            )
        require_on_call(roster, command.other, role, exchange, "other_start")
    return SwapRequested(
        at=changer.at,
        by=changer.by,
        schedule=command.schedule,
        swap=id_,
        person=me,
        other=command.other,
        start=command.start,
        end=command.end,
        other_start=command.other_start,
        other_end=command.other_end,
        role=role,
    )


def swap_answer(
    command: AcceptSwap | DeclineSwap,
    changes: ScheduleChanges,
    roster: Roster,
    changer: Changer,
) -> Sequence[SwapAccepted | SwapDeclined]:
    """Return the answer to a swap, of the person who was asked; raises `Refused`."""
    held = _swap(command.swap, changes, command.schedule)
    if changer.person != held.other:
        raise Refused(f"only {held.other} can answer {held.id}", "role")
    wanted = "accepted" if isinstance(command, AcceptSwap) else "declined"
    state = held.state(changer.at)
    if state == wanted:
        return ()
    if state != "requested":
        raise Refused(f"{held.id} was {state}: ask for another swap", "state")
    about = {
        "at": changer.at,
        "by": changer.by,
        "schedule": command.schedule,
        "swap": held.id,
    }
    if isinstance(command, DeclineSwap):
        return (SwapDeclined.model_validate(about),)
    # Shifts may have changed since the request: nobody gives what is not theirs.
    require_on_call(roster, held.person, held.role, (held.start, held.end), "swap")
    if held.other_start is not None and held.other_end is not None:
        require_at_the_desk(held.person, changer, "swap")
        exchange = held.other_start, held.other_end
        require_on_call(roster, held.other, held.role, exchange, "swap")
    return (SwapAccepted.model_validate(about),)


def swap_withdrawal(
    command: WithdrawSwap, changes: ScheduleChanges, changer: Changer
) -> Sequence[SwapWithdrawn]:
    """Return the withdrawal of a swap; raises `Refused`."""
    held = _swap(command.swap, changes, command.schedule)
    state = held.state(changer.at)
    may = changer.manages_schedule(command.schedule)
    if not may and changer.person != held.person:
        raise Refused(OWN_ONLY, "role")
    if state in {"declined", "expired"}:
        raise Refused(f"{held.id} was {state}: ask for another swap", "state")
    if state == "accepted" and not may:
        raise Refused(
            f"{held.other} has agreed and counts on it: ask for a swap back, or a "
            "manager",
            "role",
        )
    if not is_withdrawable(held, changer.at):
        return ()
    about = {
        "at": changer.at,
        "by": changer.by,
        "schedule": command.schedule,
        "swap": held.id,
    }
    return (SwapWithdrawn.model_validate(about),)


def _swap(id_: str, changes: ScheduleChanges, schedule: str) -> RecordedSwap:
    held = changes.swaps.get(id_)
    if held is None:
        raise unknown_change(f"{schedule} has no swap {id_}")
    return held
