"""Whose letter it is: the directory knows them by their address, or learns it.

The address of somebody new is kept in the directory, which can be corrected and
forgotten, and never in the log: their id is made up and says nothing about them.

What there is to know of a letter before it is placed, in one transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor

from services.intake.commands.pending_command import repeated_answer
from services.intake.commands.record_store import RecordCache, readable
from services.intake.directory.file import checked
from services.intake.inbound_mail.message import InboundMail
from services.intake.inbound_mail.store import (
    MailOutcome,
    Verdict,
    fate_of,
    written_lately,
)
from services.intake.policy.store import Policies
from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.eventlog.append import recorded_commands
from shared.eventlog.log import EventLog
from shared.messaging.commands import CommandAnswer
from shared.security.signed_links import REPLY_TAGS_PURPOSE as REPLY_TAGS
from shared.security.signed_links import vouches

SHARED_MAX = 20
"""People who may share an address."""
_ALONE = "SELECT pg_advisory_xact_lock(20250630, hashtext(%s))"
_FIND = """
SELECT id, confirmed FROM directory.people WHERE lower(email) = lower(%s)
ORDER BY confirmed DESC, id LIMIT %s
"""
_LEARN = """
INSERT INTO directory.people (id, name, email, language, updated_at, confirmed)
VALUES (%s, %s, %s, %s, %s, false)
"""


@dataclass(frozen=True, slots=True)
class Senders:
    """Who may have written: usually one person; `known` if somebody said who it is."""

    ids: tuple[str, ...]
    known: bool


def senders_of(cursor: Cursor[Any], address: str) -> Senders | None:
    """Return whose address this is, None where the directory has it not."""
    found = cursor.execute(_FIND, (address, SHARED_MAX)).fetchall()
    if not found:
        return None
    return Senders(tuple(id_ for id_, _ in found), found[0][1])


def learnt(cursor: Cursor[Any], letter: InboundMail, now: datetime) -> Senders | None:
    """Return whose letter it is; somebody new gets an id, and is unconfirmed.

    None where the address is none that could be written to.
    """
    cursor.execute(_ALONE, (letter.sender,))  # two letters of theirs make one person
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
    return Senders((id_,), known=False)


LETTERS_AN_HOUR_MAX = 60
"""Of one person; more of them look like two machines that answer each other."""
MERGED_MAX = 20
"""How many mergers an incident is followed through."""

_Cursor = Cursor[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class MailResult:
    """The outcome of a letter. `known`: somebody said who its person is."""

    fate: MailOutcome
    known: bool | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class MailSubject:
    """Whose letter it is, and the incident it names, as all of it is at an instant."""

    person: str
    known: bool
    incident: Incident | None
    policy: Policy
    at: datetime
    confirmed: bool
    """Whether anything proves that it is this person's, about this incident."""


@dataclass(frozen=True, slots=True)
class MailLookup:
    """Where to look."""

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
    """Return what there is to know of a letter, or its outcome; blocks.

    Somebody whose address nobody knows is in the directory afterwards. `again`: it was
    set aside, and a person says that it is to be taken. `by_form`: anybody filled it
    in. Raises `RecordUnreadable`.
    """
    with sight.log.transaction() as cursor:
        before = None if again else fate_of(cursor, letter.key)
        if before is not None:
            return MailResult(before, repeated=True)
        if letter.automatic:
            return MailResult(_automatic(cursor, letter))
        who = learnt(cursor, letter, now) if letter.sender else None
        if who is None:
            why = "it has no address that its sender could be answered at"
            return MailResult(MailOutcome("unreadable", why))
        named, incident = _named(sight.cache, cursor, letter)
        _, policy = sight.policies.current(cursor)
        confirmed = letter.authentic or _is_vouched(sight.log, letter, named, policy)
        done = recorded_commands(cursor, [letter.key]).get(letter.key)
        if done is None and not again:
            held = _held(cursor, who, now, confirmed=confirmed, by_form=by_form)
            if held is not None:
                return MailResult(held)
    if done is not None:
        return _as_recorded(sight.log, done[1:], incident, who, confirmed)
    speaker = _speaker(who, incident)
    return MailSubject(speaker, who.known, incident, policy, now, confirmed)


def _held(
    cursor: _Cursor, who: Senders, now: datetime, *, confirmed: bool, by_form: bool
) -> MailOutcome | None:
    """Return the outcome of one letter too many, None of others."""
    kind = {"confirmed": confirmed, "by_form": by_form}
    if written_lately(cursor, who.ids, now, **kind) < LETTERS_AN_HOUR_MAX:
        return None
    why = f"more than {LETTERS_AN_HOUR_MAX} in an hour from one person"
    return MailOutcome("held", why, None, who.ids[0], confirmed)


def _automatic(cursor: _Cursor, letter: InboundMail) -> MailOutcome:
    who = senders_of(cursor, letter.sender) if letter.sender else None
    named = next(iter(letter.incidents), None)
    return MailOutcome(
        "automatic", letter.automatic, named, who.ids[0] if who else None
    )


def _is_vouched(
    log: EventLog, letter: InboundMail, named: str | None, policy: Policy
) -> bool:
    """Tell whether it answers a mail that we sent its sender about what it names."""
    since = policy.desk.reply_tags_since
    return any(
        tag.incident == named and vouches(key, tag, letter.sender, since)
        for key in log.vault.keys_for(REPLY_TAGS)
        for tag in letter.tags
    )


def _named(
    cache: RecordCache, cursor: _Cursor, letter: InboundMail
) -> tuple[str | None, Incident | None]:
    """Return the first incident it names that is here, followed through mergers.

    Raises `RecordUnreadable`: a letter about it must not open another incident.
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


def _as_recorded(
    log: EventLog,
    places: tuple[int, ...],
    incident: Incident | None,
    who: Senders,
    confirmed: bool,  # as `see` found it
) -> MailResult:
    """Return the fate of a letter whose contact is there, and which is not kept yet."""
    answer = repeated_answer(log, None, *places)
    ref = answer.incident if isinstance(answer, CommandAnswer) else None
    attached = incident is not None and incident.ref == ref
    verdict: Verdict = "attached" if attached else "opened"
    fate = MailOutcome(verdict, None, ref, _speaker(who, incident), confirmed)
    return MailResult(fate, who.known)


def _speaker(who: Senders, incident: Incident | None) -> str:
    """Return who wrote, among those who share the address: whom the incident knows."""
    reporters = incident.reporters if incident else frozenset[str]()
    return next((id_ for id_ in who.ids if id_ in reporters), who.ids[0])
