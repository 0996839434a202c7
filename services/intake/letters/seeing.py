"""What there is to know of a letter before it is placed, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor

from services.intake.command_answers import repeated_answer
from services.intake.letters.letter import Letter
from services.intake.letters.rows import Fate, Verdict, fate_of, written_lately
from services.intake.letters.senders import Senders, learnt, senders_of
from services.intake.policies import Policies
from services.intake.record_cache import RecordCache, readable
from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.eventlog.append import recorded_commands
from shared.eventlog.log import EventLog
from shared.messaging.commands import CommandAnswer
from shared.security.signed_links import REPLY_TAGS_PURPOSE as REPLY_TAGS
from shared.security.signed_links import vouches

LETTERS_AN_HOUR_MAX = 60
"""Of one person; more of them look like two machines that answer each other."""
MERGED_MAX = 20
"""How many mergers an incident is followed through."""

_Cursor = Cursor[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Taken:
    """The outcome of a letter. `known`: somebody said who its person is."""

    fate: Fate
    known: bool | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """Whose letter it is, and the incident it names, as all of it is at an instant."""

    person: str
    known: bool
    incident: Incident | None
    policy: Policy
    at: datetime
    confirmed: bool
    """Whether anything proves that it is this person's, about this incident."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Where to look."""

    log: EventLog
    cache: RecordCache
    policies: Policies


def see(
    sight: Sight,
    letter: Letter,
    now: datetime,
    *,
    again: bool = False,
    by_form: bool = False,
) -> Taken | Seen:
    """Return what there is to know of a letter, or its outcome; blocks.

    Somebody whose address nobody knows is in the directory afterwards. `again`: it was
    set aside, and a person says that it is to be taken. `by_form`: anybody filled it
    in. Raises `RecordUnreadable`.
    """
    with sight.log.transaction() as cursor:
        before = None if again else fate_of(cursor, letter.key)
        if before is not None:
            return Taken(before, repeated=True)
        if letter.automatic:
            return Taken(_automatic(cursor, letter))
        who = learnt(cursor, letter, now) if letter.sender else None
        if who is None:
            why = "it has no address that its sender could be answered at"
            return Taken(Fate("unreadable", why))
        named, incident = _named(sight.cache, cursor, letter)
        _, policy = sight.policies.current(cursor)
        confirmed = letter.authentic or _is_vouched(sight.log, letter, named, policy)
        done = recorded_commands(cursor, [letter.key]).get(letter.key)
        if done is None and not again:
            held = _held(cursor, who, now, confirmed=confirmed, by_form=by_form)
            if held is not None:
                return Taken(held)
    if done is not None:
        return _as_recorded(sight.log, done[1:], incident, who, confirmed)
    speaker = _speaker(who, incident)
    return Seen(speaker, who.known, incident, policy, now, confirmed)


def _held(
    cursor: _Cursor, who: Senders, now: datetime, *, confirmed: bool, by_form: bool
) -> Fate | None:
    """Return the outcome of one letter too many, None of others."""
    kind = {"confirmed": confirmed, "by_form": by_form}
    if written_lately(cursor, who.ids, now, **kind) < LETTERS_AN_HOUR_MAX:
        return None
    why = f"more than {LETTERS_AN_HOUR_MAX} in an hour from one person"
    return Fate("held", why, None, who.ids[0], confirmed)


def _automatic(cursor: _Cursor, letter: Letter) -> Fate:
    who = senders_of(cursor, letter.sender) if letter.sender else None
    named = next(iter(letter.incidents), None)
    return Fate("automatic", letter.automatic, named, who.ids[0] if who else None)


def _is_vouched(
    log: EventLog, letter: Letter, named: str | None, policy: Policy
) -> bool:
    """Tell whether it answers a mail that we sent its sender about what it names."""
    since = policy.desk.reply_tags_since
    return any(
        tag.incident == named and vouches(key, tag, letter.sender, since)
        for key in log.vault.keys_for(REPLY_TAGS)
        for tag in letter.tags
    )


def _named(
    cache: RecordCache, cursor: _Cursor, letter: Letter
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
) -> Taken:
    """Return the fate of a letter whose contact is there, and which is not kept yet."""
    answer = repeated_answer(log, None, *places)
    ref = answer.incident if isinstance(answer, CommandAnswer) else None
    attached = incident is not None and incident.ref == ref
    verdict: Verdict = "attached" if attached else "opened"
    fate = Fate(verdict, None, ref, _speaker(who, incident), confirmed)
    return Taken(fate, who.known)


def _speaker(who: Senders, incident: Incident | None) -> str:
    """Return who wrote, among those who share the address: whom the incident knows."""
    reporters = incident.reporters if incident else frozenset[str]()
    return next((id_ for id_ in who.ids if id_ in reporters), who.ids[0])
