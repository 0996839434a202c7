"""Selects the rules that decide a command, and the records they need. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from services.intake.commands.command import CloseSilent, Command, RecordCommand
from services.intake.commands.pending_command import AnyWish
from services.intake.commands.record_store import (
    Record,
    RecordEvent,
    RecordUnreadable,
    Unreadable,
    Versioned,
    readable,
)
from services.intake.commands.rules import decide
from services.intake.commands.rules.changes import decide_change
from services.intake.commands.rules.context import Helper
from services.intake.commands.rules.links import (
    linked_on_record,
    resolved_on_incident,
    unlinked_on_record,
)
from services.intake.commands.rules.problems import decide_problem
from services.intake.commands.rules.record_rules import Rules
from shared.domain.change import Change
from shared.domain.commands.change import (
    ChangeWish,
    LinkChange,
    RequestChange,
    UnlinkChange,
)
from shared.domain.commands.incident import (
    Link,
    Merge,
    Open,
    PersonsWish,
    Resolve,
    Unlink,
    Unmerge,
)
from shared.domain.commands.problem import (
    IdentifyProblem,
    LinkProblem,
    ProblemWish,
    UnlinkProblem,
)
from shared.domain.events.event import Actor
from shared.domain.identifiers import escalation_stream
from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.domain.problem import Problem

_Kind = TypeVar("_Kind", Incident, Problem, Change)


@dataclass(frozen=True, slots=True)
class DecisionRecords:
    """All the records that a decision may use; `ref` is the one it is about.

    `new` is the reference that `split` opens; `client` is the reporter's client
    according to the directory; `states` include the effects of earlier commands of the
    batch.
    """

    ref: str
    new: str | None
    states: Mapping[str, Versioned]
    at: datetime
    by: Actor
    roles: tuple[str, ...]
    client: str | None
    policy: Policy
    policy_version: int
    helping: Helper | Unreadable | None = None
    """The team and person above N1 that work on the incident."""

    @property
    def helper(self) -> Helper | None:
        """The team and person above N1; raises `RecordUnreadable` if not known."""
        if isinstance(self.helping, Unreadable):
            raise RecordUnreadable(escalation_stream(self.ref), self.helping.why)
        return self.helping

    def record(self, ref: str | None) -> Record | None:
        """Return a record in its current state, or None if it does not exist.

        Raises `RecordUnreadable`.
        """
        return readable(self.states, ref or "").record

    def one(self, kind: type[_Kind], ref: str | None) -> _Kind | None:
        """Return a record if it is of that kind."""
        record = self.record(ref)
        return record if isinstance(record, kind) else None


def decided(wish: AnyWish, sight: DecisionRecords) -> Sequence[RecordEvent]:
    """Return the events that a command produces, in order; raises `Refused`."""
    if isinstance(wish, ProblemWish):
        return _on_problem(wish, sight)
    if isinstance(wish, ChangeWish):
        return _on_change(wish, sight)
    return _on_incident(wish, sight)


def _on_incident(
    wish: PersonsWish | CloseSilent, sight: DecisionRecords
) -> Sequence[RecordEvent]:
    incident = sight.one(Incident, sight.ref)
    other = sight.record(_other(wish, incident))
    events = decide(
        Command(
            sight.ref, sight.at, sight.by, wish, sight.roles, sight.new, sight.client
        ),
        incident,
        other=other if isinstance(other, Incident) else None,
        record=None if isinstance(other, Incident) else other,
        policy=sight.policy,
        policy_version=sight.policy_version,
        helper=sight.helper,
    )
    if isinstance(wish, Link | Unlink) and isinstance(other, Problem | Change):
        return [*events, *_on_the_record(wish, incident, other, sight)]
    return events


def _on_the_record(
    wish: Link | Unlink,
    incident: Incident | None,
    record: Problem | Change,
    sight: DecisionRecords,
) -> Sequence[RecordEvent]:
    """Return the other side of a link, after the incident's side was allowed."""
    command = RecordCommand(record.ref, sight.at, sight.by, wish)
    rules = Rules(command, sight.policy, sight.policy_version)
    if isinstance(wish, Unlink) or incident is None:
        return unlinked_on_record(record, wish.relation, sight.ref, rules)
    return [
        *linked_on_record(record, wish.relation, sight.ref, rules),
        *resolved_on_incident(incident, wish.relation, record, rules),
    ]


def _on_problem(wish: ProblemWish, sight: DecisionRecords) -> Sequence[RecordEvent]:
    other: Incident | Change | None = None
    match wish:
        case LinkProblem(change=str(named)) | UnlinkProblem(change=str(named)):
            other = sight.one(Change, named)
        case (
            IdentifyProblem(incident=named)
            | LinkProblem(incident=named)
            | UnlinkProblem(incident=named)
        ):
            other = sight.one(Incident, named)
        case _:
            pass
    return decide_problem(
        RecordCommand(sight.ref, sight.at, sight.by, wish),
        sight.one(Problem, sight.ref),
        other=other,
        policy=sight.policy,
        policy_version=sight.policy_version,
    )


def _on_change(wish: ChangeWish, sight: DecisionRecords) -> Sequence[RecordEvent]:
    incident, problem = None, None
    match wish:
        case (
            RequestChange(incident=named, problem=cause)
            | LinkChange(incident=named, problem=cause)
            | UnlinkChange(incident=named, problem=cause)
        ):
            incident = sight.one(Incident, named)
            problem = sight.one(Problem, cause)
        case _:
            pass
    return decide_change(
        RecordCommand(sight.ref, sight.at, sight.by, wish),
        sight.one(Change, sight.ref),
        incident=incident,
        problem=problem,
        policy=sight.policy,
        policy_version=sight.policy_version,
    )


def _other(wish: PersonsWish | CloseSilent, incident: Incident | None) -> str | None:
    match wish:
        case (
            Merge(into=other)
            | Link(target=other)
            | Unlink(target=other)
            | Resolve(solution=other)
        ):
            return other
        case Unmerge():
            return incident.merged_into if incident else None
        case Open(follows=other):
            return other
        case _:
            return None
