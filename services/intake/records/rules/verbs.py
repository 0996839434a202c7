"""Every verb: its command, its rule, and its effect in each status of the record.

An effect is DO (the rule decides), ALREADY (the effect exists: `repeats` decides) or a
refusal that says what to do instead. Every combination has an entry.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol, TypeVar

from services.intake.records import system_command as machines
from services.intake.records.rules import (
    assignment,
    attachments,
    classification,
    contacts,
    duplicates,
    links,
    monitoring,
    new_incident,
    reminders,
    resolution,
    snooze,
)
from services.intake.records.rules import problems_and_changes as records
from services.intake.records.rules.context import DecisionContext
from services.intake.records.rules.repeats import repeated
from services.intake.records.system_command import AnyCommand
from shared.domain import change as changes
from shared.domain import incident as incidents
from shared.domain import problem as problems
from shared.domain.change import Change
from shared.domain.commands import change as on_change
from shared.domain.commands import incident as on_incident
from shared.domain.commands import problem as on_problem
from shared.domain.external_record import ExternalRecord
from shared.domain.incident import Incident
from shared.domain.incident.possible import (
    ALREADY,
    DO,
    EFFECTS,
    NEW,
    THERE,
    UNLESS_MERGED,
    refused_by_status,
)
from shared.domain.problem import Problem
from shared.domain.record import OwnRecord, Record, RecordEvent, RecordKind
from shared.domain.refusal import Code, Refused


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb; `opening` is the rule for a record that does not exist yet, if any."""

    kind: RecordKind
    name: str
    rule: Callable[[Any, Any, DecisionContext], Sequence[RecordEvent]]
    opening: Callable[[Any, DecisionContext], Sequence[RecordEvent]] | None
    effects: Mapping[str, str]
    """The effect by status."""

    @property
    def title(self) -> str:
        """Its name in logs and metrics: `acknowledge`, `problem.link`."""
        return self.name if self.kind == "incident" else f"{self.kind}.{self.name}"


class _HasVerb(Protocol):
    verb: ClassVar[str]


_Command = TypeVar("_Command", bound=_HasVerb)
_Kind = TypeVar("_Kind", Incident, Problem, Change)
_STATUSES: Mapping[type[OwnRecord], tuple[RecordKind, type[StrEnum]]] = {
    Incident: ("incident", incidents.Status),
    Problem: ("problem", problems.Status),
    Change: ("change", changes.Status),
}


def _verb(
    record: type[_Kind],
    command: type[_Command],
    rule: Callable[[_Command, _Kind, DecisionContext], Sequence[RecordEvent]],
    *effects: str,
    opening: Callable[[_Command, DecisionContext], Sequence[RecordEvent]] | None = None,
) -> tuple[type, Verb]:
    kind, statuses = _STATUSES[record]
    table = dict(zip(map(str, statuses), effects, strict=True))
    return command, Verb(kind, command.verb, rule, opening, table)


def _on_incident(
    command: type[_Command],
    rule: Callable[[_Command, Incident, DecisionContext], Sequence[RecordEvent]],
) -> tuple[type, Verb]:
    return _verb(Incident, command, rule, *EFFECTS[command.verb])


_ON_INCIDENTS = (
    _verb(
        Incident,
        on_incident.Open,
        repeated,
        *EFFECTS[on_incident.Open.verb],
        opening=new_incident.opened,
    ),
    _on_incident(on_incident.Attach, contacts.attached),
    _on_incident(on_incident.Classify, classification.classified),
    _on_incident(on_incident.Edit, classification.edited),
    _on_incident(on_incident.Assign, assignment.assigned),
    _on_incident(on_incident.Acknowledge, assignment.acknowledged),
    _on_incident(on_incident.Return, assignment.returned),
    _on_incident(on_incident.Pause, contacts.paused),
    _on_incident(on_incident.Resume, contacts.resumed),
    _on_incident(on_incident.Inform, contacts.informed),
    _on_incident(on_incident.Restore, resolution.restored),
    _on_incident(on_incident.Relapse, resolution.relapsed),
    _on_incident(on_incident.Resolve, resolution.resolved),
    _on_incident(on_incident.NoteSolution, resolution.solution_noted),
    _on_incident(on_incident.Reopen, resolution.reopened),
    _on_incident(on_incident.Close, resolution.closed),
    _on_incident(on_incident.Cancel, resolution.cancelled),
    _on_incident(on_incident.Redirect, resolution.redirected),
    _on_incident(on_incident.RemoveAttachment, attachments.removed),
    _on_incident(on_incident.Snooze, snooze.snoozed),
    _on_incident(on_incident.Wake, snooze.woken),
    _on_incident(on_incident.Note, reminders.noted),
    _on_incident(on_incident.Remind, reminders.reminder_set),
    _on_incident(on_incident.Unremind, reminders.reminder_cleared),
    _on_incident(on_incident.Link, links.linked),
    _on_incident(on_incident.Unlink, links.unlinked),
    _on_incident(on_incident.Merge, duplicates.merged),
    _on_incident(on_incident.Unmerge, duplicates.unmerged),
    _on_incident(on_incident.Split, duplicates.split),
    _verb(
        Incident,
        machines.Trigger,
        monitoring.fired,
        *(*[DO] * 5, NEW, THERE),
        opening=monitoring.opened,
    ),
    _verb(Incident, machines.Recover, monitoring.recovered, *UNLESS_MERGED),
    _verb(Incident, machines.Flap, monitoring.flapped, *UNLESS_MERGED),
    _verb(
        Incident,
        machines.AcknowledgeSource,
        monitoring.source_acknowledged,
        *(DO, DO, DO, *[ALREADY] * 4),
    ),
    _verb(Incident, machines.NoteSource, monitoring.source_noted, *[DO] * 6, ALREADY),
    _verb(Incident, machines.AttachFile, attachments.attached, *[DO] * 7),
    _verb(Incident, machines.LeaveOutFile, attachments.left_out, *[DO] * 7),
    _verb(Incident, machines.RecordScan, attachments.scanned, *[DO] * 7),
    _verb(
        Incident,
        machines.CloseSilent,
        resolution.closed_silently,
        *(*[ALREADY] * 3, DO, *[ALREADY] * 3),
    ),
    _verb(Incident, machines.FireReminder, reminders.reminder_fired, *[DO] * 7),
    _verb(
        Incident,
        machines.AcknowledgeAccepted,
        assignment.acknowledged_as_accepted,
        *(DO, DO, DO, *[ALREADY] * 4),
    ),
)

_IDENTIFY = "identify a new problem"

# In the order of Status: open, resolved.
_ON_PROBLEMS = (
    _verb(
        Problem,
        on_problem.IdentifyProblem,
        repeated,
        *[ALREADY] * 2,
        opening=records.identified,
    ),
    _verb(Problem, on_problem.LinkProblem, links.record_linked, DO, DO),
    _verb(Problem, on_problem.UnlinkProblem, links.record_unlinked, DO, DO),
    _verb(Problem, on_problem.AssignProblem, records.assigned, DO, _IDENTIFY),
    _verb(
        Problem,
        on_problem.PublishWorkaround,
        records.workaround_published,
        DO,
        _IDENTIFY,
    ),
    _verb(Problem, on_problem.DiagnoseProblem, records.diagnosed, DO, _IDENTIFY),
    _verb(Problem, on_problem.ResolveProblem, records.resolved, DO, ALREADY),
)

_REQUEST = "request a new change"

# In the order of Status: requested, planned, implemented, cancelled.
_ON_CHANGES = (
    _verb(
        Change,
        on_change.RequestChange,
        repeated,
        *[ALREADY] * 4,
        opening=records.requested,
    ),
    _verb(Change, on_change.LinkChange, links.record_linked, *[DO] * 4),
    _verb(Change, on_change.UnlinkChange, links.record_unlinked, *[DO] * 4),
    _verb(
        Change, on_change.AssignChange, records.assigned, *(DO, DO, _REQUEST, _REQUEST)
    ),
    _verb(Change, on_change.PlanChange, records.planned, *(DO, DO, _REQUEST, _REQUEST)),
    _verb(
        Change,
        on_change.ImplementChange,
        records.implemented,
        *(DO, DO, ALREADY, _REQUEST),
    ),
    _verb(
        Change,
        on_change.CancelChange,
        records.cancelled,
        *(DO, DO, f"{_REQUEST} that undoes it", ALREADY),
    ),
)

VERBS: Mapping[type, Verb] = dict((*_ON_INCIDENTS, *_ON_PROBLEMS, *_ON_CHANGES))
"""Each verb, by the class of its command."""

_UNKNOWN: Mapping[RecordKind, Code] = {
    "record": "unknown_record",
    "incident": "unknown_incident",
    "problem": "unknown_problem",
    "change": "unknown_change",
}


def decide(
    command: AnyCommand, record: Record | None, context: DecisionContext
) -> Sequence[RecordEvent]:
    """Return the events that `command` produces, in order; empty if already done.

    `record` is the one that the command is about. Some events may belong to the streams
    of others: a link has two sides, and a split opens an incident. Raises `Refused`.
    """
    verb = VERBS[type(command)]
    if record is None:
        if verb.opening is None:
            raise Refused(
                f"there is no {verb.kind} {context.ref} to {verb.name}",
                _UNKNOWN[verb.kind],
            )
        return verb.opening(command, context)
    assert not isinstance(record, ExternalRecord)  # noqa: S101 # no verb is about one
    decided = verb.rule(command, record, context) if _is_to_do(verb, record) else []
    return decided or repeated(command, record, context)


def _is_to_do(verb: Verb, record: OwnRecord) -> bool:
    """Return whether there is something to decide; raises `Refused` if not allowed."""
    effect = verb.effects[record.status]
    if effect in (DO, ALREADY):
        return effect == DO
    into = record.merged_into if isinstance(record, Incident) else None
    raise refused_by_status(record.ref, record.status, effect, into)


def life_of(kind: RecordKind) -> str:
    """Return the verbs of a kind as Markdown: a row for each, a column per status."""
    verbs = [verb for verb in VERBS.values() if verb.kind == kind]
    statuses = list(verbs[0].effects)
    rows = [
        [
            f"**{verb.name}**",
            *(e.format(into="that one") for e in verb.effects.values()),
        ]
        for verb in verbs
    ]
    lines = [["", *statuses], ["---"] * (len(statuses) + 1), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
