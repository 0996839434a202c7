"""What people changed of a schedule, computed from the events of its stream; no rules.

The same for the absences of a person. `roster` applies them to a schedule of the
policy: applying another policy never deletes any, and changes to a schedule that the
policy does not have any more wait for it to return.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, TypeVar, assert_never

from shared.domain.events.event import Actor, Event
from shared.domain.events.on_call import (
    AbsenceAdded,
    AbsenceEvent,
    AbsenceWithdrawn,
    OverrideAdded,
    OverrideKind,
    OverrideWithdrawn,
    ScheduleChangeEvent,
    SwapAccepted,
    SwapDeclined,
    SwapEvent,
    SwapRequested,
    SwapWithdrawn,
    TemporaryScheduleAdded,
    TemporaryScheduleWithdrawn,
)
from shared.domain.on_call.roster import (
    Absence,
    DatedShift,
    Override,
    Roster,
    TemporarySchedule,
)
from shared.domain.policy.schedules import Role, Schedule

SwapState = Literal["requested", "accepted", "declined", "withdrawn", "expired"]
KEPT = timedelta(days=400)
"""Changes that ended longer before a period are not needed to compute its shifts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A recorded change, [start, end); it ended earlier if it was withdrawn."""

    id: str
    by: Actor
    made_at: datetime
    start: datetime
    end: datetime
    withdrawn_at: datetime | None = None
    withdrawn_by: Actor | None = None

    @property
    def until(self) -> datetime:
        """When it ends or ended; not after `start` if it never had an effect."""
        return (
            self.end if self.withdrawn_at is None else min(self.end, self.withdrawn_at)
        )

    def is_open(self, at: datetime) -> bool:
        """Return whether it has, or may have, an effect from `at` on."""
        return self.until > at


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedOverride(Change):
    """An override as it was recorded."""

    kind: OverrideKind
    add: str | None
    remove: str | None
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSwap(Change):
    """A swap as it was requested, and the answer to it."""

    person: str
    other: str
    other_start: datetime | None
    other_end: datetime | None
    role: Role
    accepted_at: datetime | None = None
    declined_at: datetime | None = None

    @property
    def begins(self) -> datetime:
        """When the first of its periods begins: it can be accepted until then."""
        return min(self.start, self.other_start or self.start)

    @property
    def until(self) -> datetime:
        """When the last of its periods ends or ended."""
        last = max(self.end, self.other_end or self.end)
        return last if self.withdrawn_at is None else min(last, self.withdrawn_at)

    def is_open(self, at: datetime) -> bool:
        """Return whether it has, or may have, an effect from `at` on."""
        return self.until > at and self.state(at) in {"requested", "accepted"}

    def state(self, at: datetime) -> SwapState:
        """Return its state."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.declined_at is not None:
            return "declined"
        if self.accepted_at is not None:
            return "accepted"
        return "requested" if at < self.begins else "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTemporary(Change):
    """A temporary schedule as it was recorded."""

    shifts: tuple[DatedShift, ...]
    imported_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAbsence(Change):
    """An absence as it was recorded."""

    person: str


@dataclass(frozen=True, slots=True)
class ScheduleChanges:
    """All changes of one schedule, by id."""

    overrides: Mapping[str, RecordedOverride] = field(default_factory=dict)
    swaps: Mapping[str, RecordedSwap] = field(default_factory=dict)
    temporary: Mapping[str, RecordedTemporary] = field(default_factory=dict)
    """In the order in which they were made."""
    effective: tuple[str, ...] = ()
    """The overrides and accepted swaps in the order in which they came into effect."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody ever changed the schedule."""
        return not (self.overrides or self.swaps or self.temporary)

    def change(self, id_: str) -> Change | None:
        """Return the change with an id, None if there is none."""
        return self.overrides.get(id_) or self.swaps.get(id_) or self.temporary.get(id_)


NO_CHANGES = ScheduleChanges()
Absences = Mapping[str, RecordedAbsence]
"""The absences of one person, by id."""
NO_ABSENCES: Absences = {}


def replay(
    history: Iterable[ScheduleChangeEvent], before: ScheduleChanges = NO_CHANGES
) -> ScheduleChanges:
    """Return the changes of a schedule after its events, or after further ones."""
    overrides, swaps = dict(before.overrides), dict(before.swaps)
    temporary, effective = dict(before.temporary), list(before.effective)
    for event in history:
        match event:
            case OverrideAdded():
                overrides[event.override] = _override(event)
                effective.append(event.override)
            case OverrideWithdrawn(override=id_):
                _withdraw(overrides, id_, event)
            case SwapRequested() | SwapAccepted() | SwapDeclined() | SwapWithdrawn():
                _apply_to_swaps(swaps, event)
                if isinstance(event, SwapAccepted) and event.swap in swaps:
                    effective.append(event.swap)
            case TemporaryScheduleAdded():
                temporary[event.temporary] = _temporary(event)
            case TemporaryScheduleWithdrawn(temporary=id_):
                _withdraw(temporary, id_, event)
            case _:
                assert_never(event)
    return ScheduleChanges(overrides, swaps, temporary, tuple(effective))


def _apply_to_swaps(swaps: dict[str, RecordedSwap], event: SwapEvent) -> None:
    if isinstance(event, SwapRequested):
        swaps[event.swap] = _swap(event)
        return
    held = swaps.get(event.swap)
    if held is None:  # this version cannot read its request
        return
    match event:
        case SwapAccepted(at=at):
            swaps[event.swap] = replace(held, accepted_at=at)
        case SwapDeclined(at=at):
            swaps[event.swap] = replace(held, declined_at=at)
        case SwapWithdrawn():
            _withdraw(swaps, event.swap, event)
        case _:
            assert_never(event)


def replay_absences(
    history: Iterable[AbsenceEvent], before: Absences = NO_ABSENCES
) -> Absences:
    """Return the absences of a person after their events, or after further ones."""
    held = dict(before)
    for event in history:
        match event:
            case AbsenceAdded():
                held[event.absence] = RecordedAbsence(
                    id=event.absence,
                    by=event.by,
                    made_at=event.at,
                    start=event.start,
                    end=event.end,
                    person=event.person,
                )
            case AbsenceWithdrawn(absence=id_):
                _withdraw(held, id_, event)
            case _:
                assert_never(event)
    return held


_Any = TypeVar("_Any", bound=Change)


def _withdraw(held: dict[str, _Any], id_: str, event: Event) -> None:
    # Without its beginning, which this version cannot read, there is nothing to end.
    if id_ in held:
        held[id_] = replace(held[id_], withdrawn_at=event.at, withdrawn_by=event.by)


def _override(event: OverrideAdded) -> RecordedOverride:
    return RecordedOverride(
        id=event.override,
        by=event.by,
        made_at=event.at,
        start=event.start,
        end=event.end,
        kind=event.kind,
        add=event.add,
        remove=event.remove,
        role=event.role,
    )


def _swap(event: SwapRequested) -> RecordedSwap:
    return RecordedSwap(
        id=event.swap,
        by=event.by,
        made_at=event.at,
        start=event.start,
        end=event.end,
        person=event.person,
        other=event.other,
        other_start=event.other_start,
        other_end=event.other_end,
        role=event.role,
    )


def _temporary(event: TemporaryScheduleAdded) -> RecordedTemporary:
    return RecordedTemporary(
        id=event.temporary,
        by=event.by,
        made_at=event.at,
        start=event.start,
        end=event.end,
        shifts=tuple(
            DatedShift(each.people, each.start, each.end) for each in event.shifts
        ),
        imported_as=event.imported_as,
    )


def roster(
    schedule: Schedule,
    changes: ScheduleChanges = NO_CHANGES,
    absences: Sequence[RecordedAbsence] = (),
    since: datetime | None = None,
) -> Roster:
    """Return a schedule of the policy as people changed it.

    `since` is the beginning of the period that is asked about: changes that ended long
    before are left out.
    """
    earliest = None if since is None else since - KEPT

    def counts(change: Change) -> bool:
        return change.start < change.until and (
            earliest is None or change.until > earliest
        )

    return Roster.of(
        schedule,
        [
            each
            for each in overrides_of(changes)
            if earliest is None or each.end > earliest
        ],
        [
            Absence(each.person, each.start, each.until, each.id)
            for each in absences
            if counts(each)
        ],
        [
            TemporarySchedule(each.start, each.until, each.shifts, each.id)
            for each in changes.temporary.values()
            if counts(each)
        ],
    )


def overrides_of(changes: ScheduleChanges) -> Iterable[Override]:
    """Yield overrides and accepted swaps, in the order in which they came into effect.

    An exchange is two overrides with the id of the swap.
    """
    for id_ in changes.effective:
        if id_ in changes.overrides:
            yield from _effect(changes.overrides[id_])
        else:
            yield from _exchange(changes.swaps[id_])


def _effect(held: RecordedOverride) -> Iterable[Override]:
    if held.start < held.until:
        yield Override(
            held.kind,
            held.start,
            held.until,
            held.add,
            held.remove,
            held.role,
            held.id,
        )


def _exchange(swap: RecordedSwap) -> Iterable[Override]:
    periods = [(swap.start, swap.end, swap.other, swap.person)]
    if swap.other_start is not None and swap.other_end is not None:
        periods.append((swap.other_start, swap.other_end, swap.person, swap.other))
    for start, end, add, remove in periods:
        until = min(end, swap.withdrawn_at or end)
        if start < until:
            yield Override("replace", start, until, add, remove, swap.role, swap.id)
