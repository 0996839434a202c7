"""Selects what one user may see of an incident: what was sent to them, or is their own.

Pure. What the desk said to others, its notes, its people and the other reporters are
never selected: a message is shown if it was sent to this person.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.projections.api.user_page.schemas import (
    Action,
    Standing,
    UserEntry,
    UserPage,
    UserPromise,
    UserQuestion,
)
from shared.domain import events
from shared.domain.events.event import FORGOTTEN
from shared.domain.incident import AT_WORK, Incident, Status
from shared.domain.sla import Clock, Extension
from shared.eventlog.entry import Entry
from shared.i18n.catalog import Language
from shared.i18n.formats import instant_text

Cause = tuple[str, int]
"""The stream and the version of the event that a message reports."""
ENTRIES_MAX = 100
"""How many messages are shown; the oldest are left out."""


@dataclass(frozen=True)
class UserReader:
    """The user who reads the page."""

    person: str
    language: Language
    zone: str

    def text(self, at: datetime) -> str:
        """Return an instant in the user's words."""
        return instant_text(at, self.zone, self.language)


def user_page(
    incident: Incident,
    past: Sequence[Entry],
    clocks: Sequence[Clock],
    reader: UserReader,
    now: datetime,
    asked: str,
) -> UserPage:
    """Return the page about `incident` for its reader; the link is of `asked`.

    `past` has the entries about `incident` and, if that is another one, `asked`, with
    those that messages to the reader report.
    """
    confirmed = _is_confirmed(past, reader.person)
    delay = _delay(past, clocks, reader, now)
    shared = len(incident.reporters) > 1
    entries = [*_messages(past, reader), *_own(past, reader, confirmed=confirmed)]
    entries.sort(key=lambda each: each.at, reverse=True)
    waits = incident.pause is not None and incident.pause.reason == "user"
    return UserPage(
        incident=incident.ref,
        merged_from=asked if asked != incident.ref else None,
        title=_readable(incident.title) if confirmed else None,
        standing=standing(incident),
        language=reader.language,
        reported_at=incident.reported_at,
        reported_text=reader.text(incident.reported_at),
        promises=list(_promises(incident, clocks, reader)),
        question=_question(past, incident, reader) if waits else None,
        delay=delay,
        entries=entries[:ENTRIES_MAX],
        may=actions(incident, shared=shared, asked_for_more=delay is not None),
        shared=shared,
    )


_STANDING: Mapping[Status, Standing] = {
    Status.NEW: "received",
    Status.ACKNOWLEDGED: "taken",
    Status.PAUSED: "waiting",
    Status.RESOLVED: "resolved",
    Status.CLOSED: "closed",
    Status.CANCELLED: "cancelled",
    Status.MERGED: "cancelled",
}


def standing(incident: Incident) -> Standing:
    """Return the status of an incident in terms of its user."""
    if incident.redirected_to is not None:
        return "redirected"
    if incident.status not in AT_WORK:
        return _STANDING[incident.status]
    if incident.pause is not None and incident.pause.reason == "user":
        return "waiting_for_you"
    return "restored" if incident.restored_at else _STANDING[incident.status]


def is_back(incident: Incident) -> bool:
    """Return whether service is restored while the desk still works on it."""
    return incident.status in AT_WORK and incident.restored_at is not None


def actions(incident: Incident, *, shared: bool, asked_for_more: bool) -> list[Action]:
    """Return what a user may do: nobody closes what others reported too."""
    found: list[Action] = ["words"]
    if incident.status is Status.RESOLVED and not shared:
        found.append("solved")
    if incident.status in {Status.RESOLVED, Status.CLOSED} or is_back(incident):
        found.append("not_solved")
    if asked_for_more:
        found += ["accept", "refuse"]
    return found


def causes(past: Sequence[Entry], person: str) -> Mapping[Cause, list[Entry]]:
    """Return the requests of messages to a person, by what each message reports."""
    found: dict[Cause, list[Entry]] = {}
    for entry in past:
        match entry.event:
            case events.NotificationRequested(
                audience="user", person=to, cause_stream=stream, cause_version=version
            ) if to == person:
                found.setdefault((stream, version), []).append(entry)
            case _:
                pass
    return found


def _messages(past: Sequence[Entry], reader: UserReader) -> Iterator[UserEntry]:
    """Yield what was sent to the reader; receipts repeat the reader's own words."""
    by_place = {(entry.stream, entry.version): entry.event for entry in past}
    for cause, requests in causes(past, reader.person).items():
        for request in requests:
            event, reported = request.event, by_place.get(cause)
            if not isinstance(event, events.NotificationRequested):
                continue
            if event.kind == "receipt":
                continue
            yield UserEntry(
                at=event.at,
                at_text=reader.text(event.at),
                kind=_kind(event.kind, reported),
                words=_readable(_words(reported)),
            )


def _kind(
    kind: events.Kind, reported: events.AnyEvent | None
) -> events.Kind | Literal["workaround"]:
    match reported:
        case events.IncidentRestored(workaround=True):
            return "workaround"
        case _:
            return kind


def _words(event: events.AnyEvent | None) -> str | None:
    """Return the words with which the desk reports an event to its users."""
    match event:
        case (
            events.IncidentInformed(message=words)
            | events.IncidentRedirected(message=words)
            | events.IncidentPaused(question=words)
            | events.IncidentRestored(note=words)
            | events.IncidentResolved(note=words)
            | events.IncidentCancelled(note=words)
            | events.ProblemWorkaroundPublished(workaround=words)
            | events.SlaExtensionProposed(reason=words)
            | events.SlaExtensionAccepted(evidence=words)
            | events.IncidentMerged(into=words)
        ):
            return words
        case _:
            return None


def _own(
    past: Sequence[Entry], reader: UserReader, *, confirmed: bool
) -> Iterator[UserEntry]:
    """Yield the reader's own words; none that a stranger may have written."""
    for entry in past:
        match entry.event:
            case events.IncidentContacted(
                direction="inbound", person=person, words=str(words), contacted_at=at
            ) if person == reader.person and confirmed:
                yield UserEntry(
                    at=at,
                    at_text=reader.text(at),
                    kind="own",
                    words=_readable(words),
                )
            case _:
                pass


def _is_confirmed(past: Sequence[Entry], person: str) -> bool:
    """Return whether the reader is known to have written to the desk about it.

    Anybody can give any address in the form or as the sender of a mail.
    """
    written = [
        event
        for entry in past
        if isinstance(event := entry.event, events.IncidentContacted)
        and event.direction == "inbound"
        and event.person == person
    ]
    return not written or any(not each.sender_unconfirmed for each in written)


def _promises(
    incident: Incident, clocks: Sequence[Clock], reader: UserReader
) -> Iterator[UserPromise]:
    newest = {
        clock.name.target: clock
        for clock in clocks
        if clock.name.cycle == incident.cycle
    }
    for target in ("tto", "ttr"):
        if (clock := newest.get(target)) is None:
            continue
        yield UserPromise(
            target=target,
            stops_at=clock.stops_at,
            state=clock.state.value,
            due_at=clock.due_at,
            due_text=reader.text(clock.due_at) if clock.due_at else None,
        )


def _question(
    past: Sequence[Entry], incident: Incident, reader: UserReader
) -> str | None:
    """Return the question that the desk waits for, if it was sent to the reader."""
    asked = causes(past, reader.person)
    for entry in reversed(past):
        match entry.event:
            case events.IncidentPaused(incident=ref, question=question) if (
                ref == incident.ref
            ):
                sent = (entry.stream, entry.version) in asked
                return _readable(question) if sent else None
            case _:
                pass
    return None


def _delay(
    past: Sequence[Entry], clocks: Sequence[Clock], reader: UserReader, now: datetime
) -> UserQuestion | None:
    """Return the longer delay that the reader is asked to agree to, if any."""
    waiting = {
        each.ref: each
        for clock in clocks
        for each in clock.extensions
        if each.is_open and each.expires_at > now
    }
    for entry in past:
        match entry.event:
            case events.SlaExtensionProposed(asked=people, extension=ref, reason=why):
                if reader.person in people and ref in waiting:
                    return _asked(waiting[ref], why, reader)
            case _:
                pass
    return None


def _asked(extension: Extension, why: str, reader: UserReader) -> UserQuestion:
    was = extension.was_due_at
    return UserQuestion(
        extension=extension.ref,
        why=_readable(why) or "",
        new_due_at=extension.proposed_due_at,
        new_due_text=reader.text(extension.proposed_due_at),
        was_due_text=reader.text(was) if was else None,
        answer_by_text=reader.text(extension.expires_at),
    )


def _readable(words: str | None) -> str | None:
    """Return words, None if they are empty or their owner was forgotten."""
    return None if words in {None, "", FORGOTTEN} else words
