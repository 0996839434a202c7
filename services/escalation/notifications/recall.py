"""Reads from the log what notifications are about, as of the time of their requests.

What several of them need is read once, with the people in the directory.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Self

from services.escalation.notifications.channels.mail_message import Mailbox
from services.escalation.notifications.outbox import Waiting
from services.escalation.process import BOOKMARK
from shared.contact_methods.fingerprints import checked_values
from shared.contact_methods.store import ContactValue
from shared.database.cursors import Cursors
from shared.domain.change import Change
from shared.domain.change import replay as replay_change
from shared.domain.events import (
    AnyEvent,
    ChangeEvent,
    ProblemEvent,
    is_incident_event,
    is_sla_event,
)
from shared.domain.events.change import ChangeAssigned
from shared.domain.events.escalation import (
    EscalationAccepted,
    EscalationPaged,
    EscalationUnreachable,
)
from shared.domain.events.event import FORGOTTEN
from shared.domain.events.incident import (
    IncidentContacted,
    IncidentEdited,
    IncidentSolutionNoted,
)
from shared.domain.events.problem import ProblemAssigned, ProblemSuggested
from shared.domain.identifiers import incident_stream, sla_stream
from shared.domain.incident import Incident, replay
from shared.domain.policy.document import Policy
from shared.domain.policy.schedules import Role
from shared.domain.possible import while_possible
from shared.domain.problem import Problem
from shared.domain.problem import replay as replay_problem
from shared.domain.sla import Clock, promised, replay_in_reach
from shared.eventlog.entry import Entry
from shared.eventlog.epochs import Epochs, read_epochs
from shared.eventlog.histories import skipped_by_owner
from shared.eventlog.log import EventLog, Row
from shared.eventlog.readers.parked_commands import unskipped, unskipped_among
from shared.i18n.formats import Reader
from shared.i18n.user_notices import Promise
from shared.on_call_history import Period, people_at
from shared.security.rights import removed_among

SOLUTIONS_READ_MAX = 20
"""Incidents of a suggestion whose solution notes are read."""

INCIDENTS_LISTED_MAX = 20
"""Incidents of a problem or a change whose titles a message lists."""

# An unconfirmed name was chosen by a stranger: mails do not repeat it.
_PEOPLE = """
SELECT id, CASE WHEN confirmed THEN name ELSE '' END, email, language, zone
FROM directory.people WHERE id = ANY(%s)
"""
_NAME = "SELECT name FROM directory.people WHERE id = %s AND confirmed"
_ACTOR = "person:"


@dataclass(frozen=True)
class Person:
    """A person in the directory, as far as messages need it."""

    mailbox: Mailbox
    language: str | None
    zone: str | None

    def as_reader(self, zone: str) -> Reader:
        """Return the reader's settings; `zone` is the desk's time zone."""
        return Reader(self.language, self.zone or zone, self.mailbox.name)


@dataclass(frozen=True)
class Routed:
    """A problem or a change as it was when it was assigned to a team."""

    record: Problem | Change
    by: str
    """Who assigned it: their name, or their id."""
    incidents: tuple[Incident, ...]
    """The newest incidents it was assigned with."""


@dataclass(frozen=True)
class Recalled:
    """The event of a notification, with incident, clocks and policy at that time."""

    cause: AnyEvent
    incident: Incident
    history: tuple[AnyEvent, ...]
    """Events of the incident's own stream."""
    clocks: tuple[Clock, ...]
    policy: Policy
    solutions: tuple[IncidentSolutionNoted, ...] = ()
    """For a suggestion: how its incidents were solved, the newest first."""
    routed: Routed | None = None
    """For a problem or a change that was assigned to a team: the record."""
    on_call_since: datetime | None = None
    """For a page: when those on call took over, as it was recorded."""
    about: str = ""
    """For a notice about another person than the reader: their name, or their id."""
    epoch: str = ""
    """The epoch of the event of the notification."""

    def promises(self, *targets: str) -> tuple[Promise, ...]:
        """Return the promises of these targets that are still open.

        If the SLA watcher has not armed a clock yet, the result is what it will arm.
        """
        incident = self.incident
        pledges = promised(
            self.policy,
            incident.service,
            incident.client,
            incident.priority,
            incident.reported_at,
            incident.noticed,
        )
        found = []
        for target, pledge in pledges.items():
            clock = self.clock(target)
            if target not in targets or (clock is not None and not clock.is_open):
                continue
            found.append(
                Promise(
                    target,
                    clock.seconds if clock else pledge.seconds,
                    clock.due_at if clock else pledge.due_at,
                    pledge.terms.ttr.stops_at,
                )
            )
        return tuple(found)

    @property
    def has_title_of_the_desk(self) -> bool:
        """Whether an agent has replaced the reporter's title."""
        edits = (each for each in self.history if isinstance(each, IncidentEdited))
        return any(edit.title is not None for edit in edits)

    def confirms(self, person: str) -> bool:
        """Tell whether the reporter is known to have contacted us about it.

        In a mail or the form anybody may give any address as their own. Anyone who
        reported in another way, or whose incident was merged into this one, talked to a
        person.
        """
        written = [
            event
            for event in self.history
            if isinstance(event, IncidentContacted)
            and event.direction == "inbound"
            and event.person == person
        ]
        return not written or any(not event.sender_unconfirmed for event in written)

    def clock(self, target: str) -> Clock | None:
        """Return the newest clock of a target in this cycle."""
        found = [
            clock
            for clock in self.clocks
            if clock.name.target == target and clock.name.cycle == self.incident.cycle
        ]
        return found[-1] if found else None

    def overrun(self, target: str) -> timedelta | None:
        """Return by how much a promise was overrun, None if unknown."""
        clock = self.clock(target)
        over = clock.overrun_seconds if clock else None
        return timedelta(seconds=over) if over else None


@dataclass(frozen=True)
class MessageContext:
    """What messages are about and whom they go to, within one transaction."""

    log: EventLog
    cursor: Cursors
    epochs: Epochs
    people: Mapping[str, Person]
    """The readers of the messages, without those who have no entry."""
    contacts: Mapping[str, Mapping[str, ContactValue]]
    """The values of their contact methods, by person and method."""
    removed: frozenset[str]
    """Those of them who were removed from the desk."""
    rows: Mapping[str, Sequence[Row]]
    """The events of the streams that the messages are about."""
    on_call: Callable[[str, datetime], Mapping[Role, Period]]
    """Returns who was on call in a schedule, as it was recorded."""

    @classmethod
    def of(
        cls,
        log: EventLog,
        cursor: Cursors,
        messages: Sequence[Waiting],
    ) -> Self:
        """Read what these messages need."""
        streams = sorted({name for each in messages for name in _streams_of(each)})
        upto = max((each.position for each in messages), default=0)
        rows: dict[str, list[Row]] = {name: [] for name in streams}
        skipped = skipped_by_owner(cursor, streams)
        for row in log.stored_histories(cursor, streams, upto):
            if row.position not in skipped:
                rows[row.stream].append(row)
        readers = sorted({each.person for each in messages if each.person})
        return cls(
            log,
            cursor,
            read_epochs(cursor),
            people(cursor, readers),
            checked_values(log.vault, cursor, readers),
            removed_among(cursor, readers),
            rows,
            cache(partial(people_at, cursor)),
        )

    def entries(self, waiting: Waiting) -> list[Entry]:
        """Return what the streams of a message contained at its request."""
        found = [
            row
            for stream in _streams_of(waiting)
            for row in self.rows[stream]
            if row.position <= waiting.position
        ]
        return unskipped_among(self.log, self.cursor, BOOKMARK, found)


def _streams_of(waiting: Waiting) -> Sequence[str]:
    """Return the streams of the incident, its clocks, and the cause of a message."""
    ref = waiting.incident
    return sorted({incident_stream(ref), sla_stream(ref), waiting.cause_stream})


def recall(context: MessageContext, waiting: Waiting, policy: Policy) -> Recalled:
    """Return the content of `waiting`. LookupError if the log does not contain it."""
    log, cursor = context.log, context.cursor
    entries, own = context.entries(waiting), incident_stream(waiting.incident)
    history = [e.event for e in entries if e.stream == own]
    incident = while_possible(replay, filter(is_incident_event, history))
    if incident is None:
        raise LookupError(f"the log does not contain {waiting.incident}")
    clocks = while_possible(
        replay_in_reach,
        ((e.event, e.recorded_at) for e in entries if is_sla_event(e.event)),
    )
    caused = _cause(entries, waiting)
    cause, epoch = caused.event, context.epochs.of(caused.position).label
    solutions: tuple[IncidentSolutionNoted, ...] = ()
    if isinstance(cause, ProblemSuggested):
        solutions = _solutions(log, cursor, cause, waiting.position)
    routed = None
    if isinstance(cause, ProblemAssigned | ChangeAssigned):
        before = [e.event for e in entries if e.stream == waiting.cause_stream]
        routed = _routed(log, cursor, cause, before, waiting.position)
    return Recalled(
        cause,
        incident,
        tuple(history),
        clocks,
        policy,
        solutions,
        routed,
        _on_call_since(context, cause),
        _about(context.cursor, cause, waiting.person),
        epoch,
    )


def _about(cursor: Cursors, cause: AnyEvent, reader: str) -> str:
    match cause:
        case (
            EscalationUnreachable(person=person) | EscalationAccepted(person=person)
        ) if person != reader:
            return _name_of(cursor, person)
        case _:
            return ""


def _on_call_since(context: MessageContext, cause: AnyEvent) -> datetime | None:
    """Return since when the people of a page were on call; None if nobody recorded it.

    A repeat says the same: the past does not change.
    """
    match cause:
        case EscalationPaged(who="on_call", schedule=str(schedule), role=role):
            period = context.on_call(schedule, cause.due_at).get(role or "primary")
            is_same = period is not None and set(cause.people) <= {*period.people}
            return period.begins if period and is_same else None
        case _:
            return None


def _routed(
    log: EventLog,
    cursor: Cursors,
    cause: ProblemAssigned | ChangeAssigned,
    history: Sequence[AnyEvent],
    upto: int,
) -> Routed:
    """Return the assigned record. LookupError if the log does not contain it."""
    record: Problem | Change | None
    if isinstance(cause, ProblemAssigned):
        record = while_possible(
            replay_problem, (e for e in history if isinstance(e, ProblemEvent))
        )
    else:
        record = while_possible(
            replay_change, (e for e in history if isinstance(e, ChangeEvent))
        )
    if record is None:
        raise LookupError(f"the log does not say what {cause.type} is about")
    refs = cause.incidents[-INCIDENTS_LISTED_MAX:]
    past: dict[str, list[AnyEvent]] = {incident_stream(ref): [] for ref in refs}
    for entry in unskipped(log, cursor, BOOKMARK, sorted(past), upto):
        past[entry.stream].append(entry.event)
    found = (
        while_possible(replay, filter(is_incident_event, each))
        for each in past.values()
    )
    incidents = tuple(incident for incident in found if incident is not None)
    return Routed(record, _name_of(cursor, cause.by), incidents)


def _name_of(cursor: Cursors, actor: str) -> str:
    """Return the name of an actor; the id if no confirmed name is known."""
    known = actor.removeprefix(_ACTOR)
    row = cursor.execute(_NAME, (known,)).fetchone()
    return str(row[0]) if row and row[0] and row[0] != FORGOTTEN else known


def _solutions(
    log: EventLog, cursor: Cursors, tip: ProblemSuggested, upto: int
) -> tuple[IncidentSolutionNoted, ...]:
    """Return the last solution note of each of the newest incidents that have one."""
    refs = tip.incidents[-SOLUTIONS_READ_MAX:]
    streams = sorted(map(incident_stream, refs))
    last = {
        entry.stream: entry
        for entry in unskipped(log, cursor, BOOKMARK, streams, upto)
        if isinstance(entry.event, IncidentSolutionNoted)
    }
    newest = sorted(last.values(), key=lambda entry: -entry.position)
    events = (entry.event for entry in newest)
    return tuple(each for each in events if isinstance(each, IncidentSolutionNoted))


def person(cursor: Cursors, name: str) -> Person | None:
    """Return somebody from the directory; None without an entry."""
    return people(cursor, [name]).get(name)


def people(cursor: Cursors, names: Sequence[str]) -> Mapping[str, Person]:
    """Return people from the directory by id, without those who have no entry."""
    rows = cursor.execute(_PEOPLE, (list(names),)).fetchall()
    return {
        id_: Person(Mailbox(email or "", name), language, zone)
        for id_, name, email, language, zone in rows
    }


def _cause(entries: list[Entry], waiting: Waiting) -> Entry:
    cause = (waiting.cause_stream, waiting.cause_version)
    for entry in entries:
        if (entry.stream, entry.version) == cause:
            return entry
    raise LookupError(f"{cause[0]} has no version {cause[1]}")
