"""Processes commands about who is on call: read, decide, append last, answer.

Each command has its own transaction: they are rare. If another one was faster, it is
decided again.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

from services.intake.attempts import (
    append,
    decided,
    journalled,
    recorded_before,
    require_version,
)
from services.intake.directory.store import strangers
from services.intake.on_call.rules.context import Changer
from services.intake.on_call.rules.imports import imported
from services.intake.on_call.rules.schedules import decide, decide_absence
from services.intake.on_call.rules.warnings import WARNINGS_MAX
from services.intake.on_call.views import (
    Outcome,
    answered,
    assumed,
    id_of,
    of_person,
    of_schedule,
    with_import,
)
from services.intake.policy.store import Policies
from shared.clock import Clock
from shared.commands.refusals import (
    digest_of,
)
from shared.database.cursors import Cursors
from shared.domain.commands.on_call import (
    AbsenceCommand,
    AcceptSwap,
    AddAbsence,
    AddOverride,
    AddTemporarySchedule,
    ImportShifts,
    OnCallAnswer,
    OnCallCommand,
    OnCallWarning,
    RequestSwap,
    ScheduleCommand,
    WithdrawOverride,
    WithdrawSwap,
    WithdrawTemporarySchedule,
)
from shared.domain.events.on_call import OnCallEvent, ScheduleChangeEvent
from shared.domain.identifiers import absences_stream, on_call_stream
from shared.domain.on_call import Roster
from shared.domain.on_call.schedule_changes import (
    Change,
    ScheduleChanges,
    replay,
    replay_absences,
)
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from shared.eventlog.append import (
    AppendUnit,
)
from shared.eventlog.log import SELECT_ROWS, EventLog, Row
from shared.eventlog.recorder import versions
from shared.messaging.commands import CommandRequest
from shared.on_call_changes import (
    absences_of_person,
    changed_roster,
    changes_of,
    rosters_of,
)

_BETWEEN = f"{SELECT_ROWS} WHERE notification_id BETWEEN %s AND %s"
SHOWN_MAX = 20
_EMPTY = Roster("UTC", ())
"""Of a schedule that the policy does not have any more."""


class OnCallDesk:
    """Answers commands about who is on call; it blocks, so it runs in an executor."""

    def __init__(self, log: EventLog, policies: Policies, clock: Clock) -> None:
        self._log = log
        self._policies = policies
        self._clock = clock

    def take(self, request: CommandRequest[Any]) -> OnCallAnswer:
        """Return the outcome of a command; raises `HttpError`, `Unavailable`."""
        command: OnCallCommand = request.body
        if isinstance(command, AbsenceCommand):
            record = command.person
        else:
            record = command.schedule
        note = journalled(request, record, self._clock)
        return decided(self._log, lambda cursor: self._attempt(cursor, request), note)

    def _attempt(self, cursor: Cursors, request: CommandRequest[Any]) -> OnCallAnswer:
        command: OnCallCommand = request.body
        at = self._clock()
        policy = self._policies.current(cursor)[1]
        changer = Changer(
            request.actor,
            at,
            request.scopes,
            request.limits,
            policy,
            strangers(cursor, sorted({*_named(cursor, command)}), at),
        )
        if isinstance(command, AbsenceCommand):
            return self._absence(cursor, request, command, changer)
        return self._schedule(cursor, request, command, changer)

    def _schedule(
        self,
        cursor: Cursors,
        request: CommandRequest[Any],
        command: ScheduleCommand,
        changer: Changer,
    ) -> OnCallAnswer:
        name, policy, at = command.schedule, changer.policy, changer.at
        stream = on_call_stream(name)
        version = versions(cursor, [stream])[stream]
        changes = changes_of(cursor, name)
        before = self._repeated(cursor, request)
        if before is not None and (held := changes.change(id_of(before[1][0]))):
            answer = answered("repeated", held, version, before[0])
            return with_import(answer, command, before[1])
        require_version(request.if_match, version)
        _require_schedule(command, policy)
        rosters = rosters_of(cursor, policy, since=at)
        roster = rosters.get(name, _EMPTY)
        events = decide(command, changes, roster, version + 1, changer)
        if not events:
            return answered("already", _meant(command, changes, at), version)
        after = replay(events, changes)
        warnings = _warnings(cursor, events, changes, rosters, changer)
        positions = self._append(cursor, request, stream, version, events)
        held = after.change(id_of(events[0]))
        assert held is not None  # noqa: S101 # the event is about it
        new = version + len(positions)
        answer = answered(_outcome(request), held, new, positions, warnings)
        return with_import(answer, command, events)

    def _absence(
        self,
        cursor: Cursors,
        request: CommandRequest[Any],
        command: AbsenceCommand,
        changer: Changer,
    ) -> OnCallAnswer:
        stream = absences_stream(command.person)
        version = versions(cursor, [stream])[stream]
        absences = absences_of_person(cursor, command.person)
        before = self._repeated(cursor, request)
        if before is not None and (held := absences.get(id_of(before[1][0]))):
            return answered("repeated", held, version, before[0])
        require_version(request.if_match, version)
        events = decide_absence(command, absences, version + 1, changer)
        if not events:
            assert not isinstance(command, AddAbsence)  # noqa: S101 # it has an event
            return answered("already", absences[command.absence], version)
        rosters = rosters_of(cursor, changer.policy, since=changer.at)
        warnings = [
            each for event in events for each in of_person(event, rosters, changer.at)
        ]
        positions = self._append(cursor, request, stream, version, events)
        after = replay_absences(events, absences)
        new, held = version + len(positions), after[id_of(events[0])]
        return answered(_outcome(request), held, new, positions, warnings)

    def _append(
        self,
        cursor: Cursors,
        request: CommandRequest[Any],
        stream: str,
        version: int,
        events: Sequence[OnCallEvent],
    ) -> Sequence[int]:
        """Append the events, and return their positions; nothing is written after.

        Those of a preview are not appended.
        """
        if request.preview:
            return ()
        command_id = request.command_id
        stored = tuple(
            self._log.stored(stream, number, event, command_id)
            for number, event in enumerate(events, version + 1)
        )
        digest = _digest(request) if command_id is not None else b""
        unit = AppendUnit(stored, command_id, digest)
        return append(self._log, cursor, unit)

    def _repeated(
        self, cursor: Cursors, request: CommandRequest[Any]
    ) -> tuple[range, Sequence[OnCallEvent]] | None:
        """Return positions and events of a command that was recorded before."""
        positions = recorded_before(cursor, request.command_id, _digest(request))
        if positions is None:
            return None
        found = cursor.execute(_BETWEEN, (positions[0], positions[-1]), binary=True)
        entries = (self._log.entry(Row(*row)) for row in found.fetchall())
        events = [each.event for each in entries if isinstance(each.event, OnCallEvent)]
        return positions, events


def _outcome(request: CommandRequest[Any]) -> Outcome:
    return "would_record" if request.preview else "recorded"


def _digest(request: CommandRequest[Any]) -> bytes:
    return digest_of(request.body.aggregate, request.body.verb, request.body)


def _require_schedule(command: ScheduleCommand, policy: Policy) -> None:
    """Raise `Refused` if there is no such schedule; what was made can be withdrawn."""
    if command.schedule in policy.schedules or isinstance(
        command, WithdrawOverride | WithdrawSwap | WithdrawTemporarySchedule
    ):
        return
    there = ", ".join(sorted(policy.schedules)[:SHOWN_MAX]) or "none"
    raise Refused(
        f"the policy has no schedule {command.schedule}: there are {there}",
        "unknown_schedule",
    )


def _warnings(
    cursor: Cursors,
    events: Sequence[ScheduleChangeEvent],
    changes: ScheduleChanges,
    before: Mapping[str, Roster],
    changer: Changer,
) -> list[OnCallWarning]:
    name = events[0].schedule
    if name not in before:
        return []
    judged = replay(assumed(events), changes)
    schedule = changer.policy.schedules[name]
    after = {
        **before,
        name: changed_roster(cursor, schedule, judged, since=changer.at),
    }
    found = chain.from_iterable(
        of_schedule(event, changes, (before, after), changer.at) for event in events
    )
    return list(islice(found, WARNINGS_MAX))


def _meant(command: ScheduleCommand, changes: ScheduleChanges, at: datetime) -> Change:
    """Return the change that a command found as it should be."""
    if isinstance(command, ImportShifts):
        return imported(changes, command.name, at)[0]
    named = [
        getattr(command, field, None) for field in ("override", "swap", "temporary")
    ]
    held = next((changes.change(id_) for id_ in named if id_ is not None), None)
    assert held is not None  # noqa: S101 # else the rules refuse it
    return held


def _named(cursor: Cursors, command: OnCallCommand) -> Iterator[str]:
    """Yield the people whom a command puts on call, or declares absent."""
    match command:
        case AcceptSwap(schedule=schedule, swap=id_):
            swap = changes_of(cursor, schedule).swaps.get(id_)
            if swap is not None:
                yield swap.person
        case AddOverride(add=str(person)):
            yield person
        case RequestSwap(other=person) | AddAbsence(person=person):
            yield person
        case AddTemporarySchedule(shifts=shifts) | ImportShifts(shifts=shifts):
            for shift in shifts:
                yield from shift.people
        case _:
            pass
