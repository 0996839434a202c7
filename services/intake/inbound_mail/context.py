"""Looks up what is needed to place a mail: its sender and the incident it names.

The sender is found in the directory by address, or added to it. A new address is stored
in the directory, where it can be corrected and forgotten, and never in the log: the
generated id reveals nothing about the person.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Cursor

from services.intake.attachments.rules import LeftOut
from services.intake.attempts import decided
from services.intake.callers.store import ADDRESS_LOCK
from services.intake.commands.pending_command import repeated_answer
from services.intake.directory.address_facts import (
    Author,
    address_events,
    append_addresses,
)
from services.intake.directory.file import checked
from services.intake.inbound_mail.message import InboundMail
from services.intake.inbound_mail.report_key import is_recorded_as, key_reused
from services.intake.inbound_mail.store import (
    MailOutcome,
    Verdict,
    fate_of,
    written_lately,
)
from services.intake.policy.store import Policies
from services.intake.records.store import RecordCache, readable
from shared.contact_methods.fingerprints import Address
from shared.database.cursors import Cursors
from shared.domain.events.contact_method import DIRECTORY_MAIL, DIRECTORY_PHONE
from shared.domain.events.incident import IncidentOpened
from shared.domain.identifiers import incident_stream
from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.eventlog.append import recorded_commands
from shared.eventlog.log import SELECT_ROWS, EventLog, Row
from shared.messaging.commands import CommandAnswer
from shared.security.signed_links import REPLY_TAGS_PURPOSE as REPLY_TAGS
from shared.security.signed_links import vouches

SHARED_MAX = 20
"""People who may share an address."""
_FIND = """
SELECT id, confirmed FROM directory.people WHERE lower(email) = lower(%s)
ORDER BY confirmed DESC, CASE WHEN NOT confirmed THEN updated_at END, id LIMIT %s
"""
"""Of those whom nobody confirmed, the first to have it: a later one takes nothing."""
_LEARN = """
INSERT INTO directory.people (id, name, email, language, updated_at, confirmed)
VALUES (%s, %s, %s, %s, %s, false)
"""


@dataclass(frozen=True, slots=True)
class Senders:
    """The possible authors, usually one; `known` if a person has confirmed them."""

    ids: tuple[str, ...]
    known: bool
    address: str | None = None
    """Of somebody who was just added to the directory."""


def senders_of(cursor: Cursor[Any], address: str) -> Senders | None:
    """Return the people with this address, or None if the address is unknown."""
    found = cursor.execute(_FIND, (address, SHARED_MAX)).fetchall()
    if not found:
        return None
    return Senders(tuple(id_ for id_, _ in found), found[0][1])


def learnt(cursor: Cursor[Any], letter: InboundMail, now: datetime) -> Senders | None:
    """Return the sender of a mail; a new sender gets an id and is unconfirmed.

    None if the address is not one that mail could be sent to.
    """
    cursor.execute(ADDRESS_LOCK, (letter.sender,))  # adds each person once
    found = senders_of(cursor, letter.sender)
    if found is not None:
        return found
    id_ = f"mail-{letter.key.hex[:16]}"
    name = letter.name or letter.sender.partition("@")[0]
    row = checked({"id": id_, "name": name, "email": letter.sender})
    if isinstance(row, list):
        return None
    given = (id_, row["name"], row["email"], letter.language, now)
    cursor.execute(_LEARN, given)
    return Senders((id_,), known=False, address=row["email"])


_NO_ADDRESS = "it has no address that its sender could be answered at"
LETTERS_AN_HOUR_MAX = 60
"""From one person; more suggest two machines that answer each other."""
MERGED_MAX = 20
"""How many merges are followed from an incident."""

_FIRST = f"{SELECT_ROWS} WHERE originator_id = %s AND originator_version = 1"


@dataclass(frozen=True, slots=True)
class MailResult:
    """The result for a mail; `known` if a person has confirmed who the sender is."""

    fate: MailOutcome
    known: bool | None = None
    repeated: bool = False
    left_out: tuple[LeftOut, ...] = ()
    """Its files that are not kept."""


@dataclass(frozen=True, slots=True)
class MailSubject:
    """The sender of a mail and the incident it names, as of one instant."""

    person: str
    known: bool
    incident: Incident | None
    policy: Policy
    at: datetime
    confirmed: bool
    """Whether it is proven that this person wrote it, about this incident."""


@dataclass(frozen=True, slots=True)
class MailLookup:
    """The sources of the look-up."""

    log: EventLog
    cache: RecordCache
    policies: Policies


def see(
    sight: MailLookup,
    letter: InboundMail,
    now: datetime,
    *,
    again: bool = False,
    by_form: bool = False,
) -> MailResult | MailSubject:
    """Return what is needed to place a mail, or its result; blocks.

    An unknown sender is added to the directory. `again`: it was set aside, and a person
    wants it to be taken. `by_form`: it came from the form, which anybody can fill in.
    Raises `RecordUnreadable`, and `HttpError` 422 for a key of another report.
    """

    def attempt(cursor: Cursors) -> MailResult | MailSubject | _Recorded:
        return _see(cursor, sight, letter, now, again=again, by_form=by_form)

    seen = decided(sight.log, attempt)
    if not isinstance(seen, _Recorded):
        return seen
    if by_form and not is_recorded_as(letter, seen.digest):
        raise key_reused()
    return _as_recorded(sight.log, seen)


class _Recorded(NamedTuple):
    """A mail whose contact was recorded earlier, but that is not stored."""

    digest: bytes
    places: tuple[int, ...]
    incident: Incident | None
    who: Senders
    confirmed: bool


def _see(
    cursor: Cursors,
    sight: MailLookup,
    letter: InboundMail,
    now: datetime,
    *,
    again: bool,
    by_form: bool,
) -> MailResult | MailSubject | _Recorded:
    before = None if again else fate_of(cursor, letter.key)
    if before is not None:
        return MailResult(before, repeated=True)
    if letter.automatic:
        return MailResult(_automatic(cursor, letter))
    who = learnt(cursor, letter, now) if letter.sender else None
    if who is None:
        why = letter.unreadable or _NO_ADDRESS
        return MailResult(MailOutcome("unreadable", why))
    named, incident = _named(sight.cache, cursor, letter)
    _, policy = sight.policies.current(cursor)
    confirmed = letter.authentic or _is_vouched(sight.log, letter, named, policy)
    done = recorded_commands(cursor, [letter.key]).get(letter.key)
    held = None
    if done is None and not again:
        held = _held(cursor, who, now, confirmed=confirmed, by_form=by_form)
    _record_address(sight.log, cursor, who, now)
    if held is not None:
        return MailResult(held)
    if done is not None:
        return _Recorded(done[0], done[1:], incident, who, confirmed)
    speaker = _speaker(who, incident)
    return MailSubject(speaker, who.known, incident, policy, now, confirmed)


def _record_address(
    log: EventLog, cursor: Cursors, who: Senders, now: datetime
) -> None:
    """Append the address of a sender who was added, last in the transaction."""
    if who.address is not None:
        mail = (Address(who.ids[0], DIRECTORY_MAIL), who.address)
        no_number = (Address(who.ids[0], DIRECTORY_PHONE), None)
        author = Author("system:intake", now)
        events = address_events(log.vault, [mail, no_number], author)
        append_addresses(log, cursor, events)


def opening_of(log: EventLog, ref: str) -> IncidentOpened:
    """Return the first event of an incident; LookupError if the log has none. Blocks.

    It alone is read: what came later may be much, or unreadable at present.
    """
    with log.transaction() as cursor:
        first = cursor.execute(_FIRST, (incident_stream(ref),), binary=True).fetchone()
        event = log.entry(Row(*first)).event if first else None
    match event:
        case IncidentOpened():
            return event
        case _:
            raise LookupError(f"the log does not show {ref} yet")


def _held(
    cursor: Cursors, who: Senders, now: datetime, *, confirmed: bool, by_form: bool
) -> MailOutcome | None:
    """Return the result for a mail above the hourly limit, or None."""
    kind = {"confirmed": confirmed, "by_form": by_form}
    if written_lately(cursor, who.ids, now, **kind) < LETTERS_AN_HOUR_MAX:
        return None
    why = f"more than {LETTERS_AN_HOUR_MAX} in an hour from one person"
    return MailOutcome("held", why, None, who.ids[0], confirmed)


def _automatic(cursor: Cursors, letter: InboundMail) -> MailOutcome:
    who = senders_of(cursor, letter.sender) if letter.sender else None
    named = next(iter(letter.incidents), None)
    return MailOutcome(
        "automatic", letter.automatic, named, who.ids[0] if who else None
    )


def _is_vouched(
    log: EventLog, letter: InboundMail, named: str | None, policy: Policy
) -> bool:
    """Return whether it answers a mail we sent its sender about that incident."""
    since = policy.desk.reply_tags_since
    return any(
        tag.incident == named and vouches(key, tag, letter.sender, since)
        for key in log.vault.keys_for(REPLY_TAGS)
        for tag in letter.tags
    )


def _named(
    cache: RecordCache, cursor: Cursors, letter: InboundMail
) -> tuple[str | None, Incident | None]:
    """Return the first existing incident it names, following merges.

    Raises `RecordUnreadable`: a mail about that incident must not open another one.
    """
    for ref in letter.incidents:
        held = readable(cache.read(cursor, [ref]), ref).incident
        for _ in range(MERGED_MAX):
            if held is None or held.merged_into is None:
                break
            into = held.merged_into
            held = readable(cache.read(cursor, [into]), into).incident
        if held is not None:
            return ref, held
    return None, None


def _as_recorded(log: EventLog, seen: _Recorded) -> MailResult:
    """Return the result for a mail whose contact is recorded but that is not stored."""
    _, places, incident, who, confirmed = seen
    answer = repeated_answer(log, None, *places)
    ref = answer.incident if isinstance(answer, CommandAnswer) else None
    attached = incident is not None and incident.ref == ref
    verdict: Verdict = "attached" if attached else "opened"
    fate = MailOutcome(verdict, None, ref, _speaker(who, incident), confirmed)
    return MailResult(fate, who.known)


def _speaker(who: Senders, incident: Incident | None) -> str:
    """Return the author among those who share the address: a reporter comes first."""
    reporters = incident.reporters if incident else frozenset[str]()
    return next((id_ for id_ in who.ids if id_ in reporters), who.ids[0])
