"""Overrides, swaps, temporary schedules and absences: who may change what. Pure.

People change only their own shifts: they take a colleague's over, are on call in
addition, or leave if somebody remains. To give a shift away takes the other's consent,
which is a swap. Managers change any, and nothing leaves a schedule without anybody.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from services.intake.on_call.rules.context import (
    OWN_ONLY,
    Changer,
    is_withdrawable,
    period_of,
    require_at_the_desk,
    require_few,
    require_on_call,
    unknown_change,
)
from services.intake.on_call.rules.imports import BYTES_MAX, import_events
from services.intake.on_call.rules.swaps import (
    swap_answer,
    swap_request,
    swap_withdrawal,
)
from shared.domain.commands.on_call import (
    AbsenceCommand,
    AcceptSwap,
    AddAbsence,
    AddOverride,
    AddTemporarySchedule,
    DeclineSwap,
    ImportShifts,
    RequestSwap,
    ScheduleCommand,
    WithdrawAbsence,
    WithdrawOverride,
    WithdrawSwap,
    WithdrawTemporarySchedule,
)
from shared.domain.events.on_call import (
    AbsenceAdded,
    AbsenceEvent,
    AbsenceWithdrawn,
    OverrideAdded,
    OverrideWithdrawn,
    ScheduleChangeEvent,
    TemporaryScheduleAdded,
    TemporaryScheduleWithdrawn,
    TemporaryShift,
)
from shared.domain.on_call import Override, Roster, gaps
from shared.domain.on_call.schedule_changes import Absences, ScheduleChanges
from shared.domain.refusal import Refused


def decide(  # noqa: PLR0911 # a return for each command
    command: ScheduleCommand,
    changes: ScheduleChanges,
    roster: Roster,
    number: int,
    changer: Changer,
) -> Sequence[ScheduleChangeEvent]:
    """Return the events of a command, empty if it is already so. Raises `Refused`.

    `number` is the version that the next event of the schedule has.
    """
    id_ = f"{command.schedule}.{number}"
    match command:
        case AddOverride():
            _require_few(command, changes, changer)
            return (_override(command, roster, id_, changer),)
        case WithdrawOverride():
            return _override_withdrawal(command, changes, changer)
        case RequestSwap():
            _require_few(command, changes, changer)
            return (swap_request(command, roster, id_, changer),)
        case AcceptSwap() | DeclineSwap():
            return swap_answer(command, changes, roster, changer)
        case WithdrawSwap():
            return swap_withdrawal(command, changes, changer)
        case AddTemporarySchedule() | ImportShifts():
            return _dated(command, changes, number, changer)
        case WithdrawTemporarySchedule():
            return _temporary_withdrawal(command, changes, changer)
        case _:
            assert_never(command)


def _require_few(
    command: AddOverride | RequestSwap, changes: ScheduleChanges, changer: Changer
) -> None:
    require_few(
        [*changes.overrides.values(), *changes.swaps.values()],
        changer,
        managing=changer.manages_schedule(command.schedule),
    )


def _override(
    command: AddOverride, roster: Roster, id_: str, changer: Changer
) -> OverrideAdded:
    _require_may_override(command, roster, changer)
    start, end = period_of(command.start, command.end, changer.at)
    if command.add is not None:
        require_at_the_desk(command.add, changer, "add")
    if command.add is not None and command.add == command.remove:
        raise Refused("nobody replaces themselves: name another", "invalid", "add")
    if command.remove is not None:
        period = start, end
        require_on_call(roster, command.remove, command.role, period, "remove")
    if command.kind == "remove":
        _require_no_gap(command, roster, Override("remove", start, end))
    return OverrideAdded(
        at=changer.at,
        by=changer.by,
        schedule=command.schedule,
        override=id_,
        kind=command.kind,
        add=command.add,
        remove=command.remove,
        start=start,
        end=end,
        role=command.role,
    )


def _require_may_override(
    command: AddOverride, roster: Roster, changer: Changer
) -> None:
    if changer.manages_schedule(command.schedule):
        return
    me = changer.person
    if not me or not changer.is_colleague(command.schedule, roster):
        raise Refused(OWN_ONLY, "role")
    if (command.add or command.remove) == me:
        return
    if command.remove == me:
        raise Refused(f"{command.add} has to agree: ask them for a swap", "role", "add")
    raise Refused(OWN_ONLY, "role")


def _require_no_gap(command: AddOverride, roster: Roster, removal: Override) -> None:
    removal = replace(removal, remove=command.remove, role=command.role)
    after = replace(roster, overrides=(*roster.overrides, removal))
    if _uncovered(after, removal) > _uncovered(roster, removal):
        raise Refused(
            f"nobody else would be on call: name who takes over from {command.remove}, "
            "with the kind `replace`",
            "state",
            "remove",
        )


def _uncovered(roster: Roster, of: Override) -> timedelta:
    found = gaps(roster, of.start, of.end, of.role)
    return sum((end - start for start, end in found), timedelta())


def _override_withdrawal(
    command: WithdrawOverride, changes: ScheduleChanges, changer: Changer
) -> Sequence[OverrideWithdrawn]:
    held = changes.overrides.get(command.override)
    if held is None:
        raise unknown_change(f"{command.schedule} has no override {command.override}")
    if held.by != changer.by and not changer.manages_schedule(command.schedule):
        raise Refused(OWN_ONLY, "role")
    if not is_withdrawable(held, changer.at):
        return ()
    at, by = changer.at, changer.by
    return (
        OverrideWithdrawn(at=at, by=by, schedule=command.schedule, override=held.id),
    )


def _dated(
    command: AddTemporarySchedule | ImportShifts,
    changes: ScheduleChanges,
    number: int,
    changer: Changer,
) -> Sequence[TemporaryScheduleAdded | TemporaryScheduleWithdrawn]:
    _require_manager(command.schedule, changer)
    require_few([*changes.temporary.values()], changer, managing=True)
    if isinstance(command, ImportShifts):
        return import_events(command, changes, number, changer)
    return (_temporary(command, f"{command.schedule}.{number}", changer),)


def _temporary(
    command: AddTemporarySchedule, id_: str, changer: Changer
) -> TemporaryScheduleAdded:
    start, end = period_of(command.start, command.end, changer.at)
    for shift in command.shifts:
        if shift.end <= shift.start:
            raise Refused("it ends before it begins: correct it", "invalid", "shifts")
        for person in shift.people:
            require_at_the_desk(person, changer, "shifts")
    event = TemporaryScheduleAdded(
        at=changer.at,
        by=changer.by,
        schedule=command.schedule,
        temporary=id_,
        start=start,
        end=end,
        shifts=tuple(
            TemporaryShift(
                people=tuple(dict.fromkeys(shift.people)),
                start=shift.start,
                end=shift.end,
            )
            for shift in command.shifts
            if shift.start < end and shift.end > start
        ),
    )
    if not event.shifts:
        raise Refused(
            "none of the shifts is in the period: correct one of them",
            "invalid",
            "shifts",
        )
    if len(event.model_dump_json()) > BYTES_MAX:
        raise Refused(
            "these are too many shifts at once: add them in parts", "invalid", "shifts"
        )
    return event


def _temporary_withdrawal(
    command: WithdrawTemporarySchedule, changes: ScheduleChanges, changer: Changer
) -> Sequence[TemporaryScheduleWithdrawn]:
    held = changes.temporary.get(command.temporary)
    if held is None:
        raise unknown_change(
            f"{command.schedule} has no temporary schedule {command.temporary}"
        )
    _require_manager(command.schedule, changer)
    if not is_withdrawable(held, changer.at):
        return ()
    at, by = changer.at, changer.by
    return (
        TemporaryScheduleWithdrawn(
            at=at, by=by, schedule=command.schedule, temporary=held.id
        ),
    )


def _require_manager(schedule: str, changer: Changer) -> None:
    if not changer.manages_schedule(schedule):
        raise Refused(OWN_ONLY, "role")


def decide_absence(
    command: AbsenceCommand, absences: Absences, number: int, changer: Changer
) -> Sequence[AbsenceEvent]:
    """Return the events of a command, empty if it is already so. Raises `Refused`.

    `number` is the version that the next event of the person's absences has.
    """
    person = command.person
    managing = changer.manages_person(person)
    if changer.person != person and not managing:
        raise Refused(
            "people declare their own absences: ask a manager of their team", "role"
        )
    at, by = changer.at, changer.by
    match command:
        case AddAbsence():
            require_at_the_desk(person, changer, "person")
            require_few([*absences.values()], changer, managing=managing)
            start, end = period_of(command.start, command.end, at)
            id_ = f"{person}.{number}"
            return (
                AbsenceAdded(
                    at=at, by=by, person=person, absence=id_, start=start, end=end
                ),
            )
        case WithdrawAbsence():
            held = absences.get(command.absence)
            if held is None:
                raise unknown_change(f"{person} has no absence {command.absence}")
            if not is_withdrawable(held, at):
                return ()
            return (AbsenceWithdrawn(at=at, by=by, person=person, absence=held.id),)
        case _:
            assert_never(command)
