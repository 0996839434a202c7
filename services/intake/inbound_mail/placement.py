"""Decides which incident a mail belongs to: the one it answers, or a new one. Pure.

Anybody can use any sender address and name any incident. So a mail counts as a reply of
its sender only if that person reported the incident and the sender is verified;
otherwise it is attached as unconfirmed, and an agent decides.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import Message

from services.intake.inbound_mail.message import (
    INCIDENTS_MAX,
    SUBJECT_MAX,
    InboundMail,
    decoded,
    every,
    text,
)
from services.intake.records.rules.resolution import may_reopen
from shared.domain.bounded_text import TITLE_MAX, WORDS_BYTES_MAX, WORDS_MAX, is_visible
from shared.domain.commands.contact import Contact, command_of
from shared.domain.commands.incident import Attach, Open, Reopen
from shared.domain.incident import AT_WORK, Incident, Status
from shared.domain.policy.document import Policy
from shared.domain.policy.targets import Channel
from shared.security.signed_links import ReplyTag, presented

_REF = r"INC-(?:[0-9]{1,3}-)?[0-9]{6,12}"
_IN_SUBJECT = re.compile(rf"\[({_REF})\]", re.IGNORECASE)
_IN_THREAD = re.compile(rf"<({_REF})@([^<>@\s]+)>")
_TO = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
_LEADING = re.compile(
    r"^((re|aw|sv|antw|ref|rép|rep|fw|fwd|wg|tr|i)\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE
)
_QUOTING = re.compile(
    r"^(>|-{3,}|_{5,}|"
    r"(on|le|am|el|il)\b.{5,200}(wrote|a écrit|schrieb|escribió|ha scritto)\s*:\s*$|"
    r"(from|de|von)\s*:\s.*@)",
    re.IGNORECASE,
)


def incidents_named(message: Message, our_address: str | None) -> tuple[str, ...]:
    """Return the incidents that a mail answers, the most certain first.

    References and In-Reply-To count if they end in our domain, if that is known; the
    subject can be written by anybody, so it comes last.
    """
    domain = _domain(our_address)
    threads = _threads(message)
    named = [tag.incident for tag in tags_shown(message, our_address)]
    named += [
        ref
        for ref, at in _IN_THREAD.findall(threads)
        if domain is None or at.casefold() == domain
    ]
    named += [ref.upper() for ref in _IN_SUBJECT.findall(text(message, "Subject"))]
    return tuple(dict.fromkeys(named))[:INCIDENTS_MAX]


def tags_shown(message: Message, our_address: str | None) -> tuple[ReplyTag, ...]:
    """Return the reply tags of our mails that a mail answers or is sent to."""
    shown = (_threads(message), *(each for to in _TO for each in every(message, to)))
    found = presented(" ".join(shown), _domain(our_address))
    return tuple(dict.fromkeys(found))[:INCIDENTS_MAX]


def _threads(message: Message) -> str:
    ids = (*every(message, "In-Reply-To"), *every(message, "References"))
    return decoded(" ".join(ids))  # some programs encode long ids


def _domain(our_address: str | None) -> str | None:
    return our_address.rpartition("@")[2].casefold() if our_address else None


def subject_of(message: Message) -> str:
    """Return the subject of a mail, without reply prefixes and references."""
    subject = _IN_SUBJECT.sub(" ", text(message, "Subject"))
    return _LEADING.sub("", " ".join(subject.split())).strip()[:SUBJECT_MAX]


def fresh_part(words: str) -> str:
    """Return the text before the first quotation."""
    fresh: list[str] = []
    for line in words.splitlines():
        if _QUOTING.match(line.strip()):
            break
        fresh.append(line)
    return "\n".join(fresh).strip()


LATE = timedelta(minutes=1)
"""A mail read later than this after its arrival is reported as of its arrival."""
ROOM_FOR_NAMES = 1_500
"""Characters reserved for the names of attachments."""
UNTITLED = "…"
CUT = "\n[…]"
_BECAUSE = "it had come before it was read"


@dataclass(frozen=True, slots=True)
class MailContext:
    """How a mail came: time of reading, channel, and time of arrival."""

    at: datetime
    channel: Channel
    arrived_at: datetime | None = None
    confirmed: bool = False
    """Whether it is proven that its sender wrote it."""

    @property
    def reported_at(self) -> datetime | None:
        """When it arrived, if that was noticeably before it was read."""
        if self.arrived_at is None or self.arrived_at >= self.at - LATE:
            return None
        return self.arrived_at


@dataclass(frozen=True, slots=True)
class Placement:
    """The commands for a mail, in order; `note` is for agents."""

    incident: str | None
    commands: tuple[Open | Attach | Reopen, ...]
    note: str | None = None


def placed(
    letter: InboundMail,
    person: str,
    incident: Incident | None,
    arrival: MailContext,
    policy: Policy,
) -> Placement:
    """Return where a mail of `person` belongs, given the incident it names."""
    if incident is None:
        named = letter.incidents[0] if letter.incidents else None
        note = f"it names {named}, which is not here" if named else None
        return Placement(None, (_opening(letter, person, arrival, policy),), note)
    if _is_past(incident, arrival.at, policy):
        opening = _opening(letter, person, arrival, policy)
        follows = opening.model_copy(update={"follows": incident.ref})
        note = f"it answers {incident.ref}, which is {incident.status} for good"
        return Placement(None, (follows,), note)
    attach = _attaching(letter, person, incident, arrival)
    if doubt := _doubt(person, incident, arrival):
        heard = attach.model_copy(update={"unconfirmed": True})
        return Placement(incident.ref, (heard,), doubt)
    if _is_to_reopen(incident, policy):
        return Placement(incident.ref, (attach, Reopen(cause="user")))
    return Placement(incident.ref, (attach,))


def vouched(
    letter: InboundMail, person: str, incident: Incident, arrival: MailContext
) -> Placement:
    """Return the placement chosen by an agent, who also vouches for the sender."""
    attach = _attaching(letter, person, incident, replace(arrival, confirmed=True))
    return Placement(incident.ref, (attach,))


def title_of(letter: InboundMail) -> str:
    """Return the title for a mail, on one line."""
    for part in (letter.subject, letter.fresh, letter.words):
        for line in part.splitlines():
            title = " ".join(line.split())[:TITLE_MAX].rstrip()
            if is_visible(title):
                return title
    return UNTITLED


def words_of(letter: InboundMail) -> str | None:
    """Return the text for a contact within its limits, with attachment names."""
    names = "".join(
        f"\n📎 {each.name} ({_size(each.size)})" for each in letter.attachments
    )
    if len(names) > ROOM_FOR_NAMES:
        names = f"\n📎 × {len(letter.attachments)}"
    room = WORDS_MAX - len(names) - len(CUT)
    bytes_room = WORDS_BYTES_MAX - len((names + CUT).encode())
    said = letter.words[:room].encode()[:bytes_room].decode("utf-8", "ignore")
    whole = said if said == letter.words else said + CUT
    words = (whole + names).strip("\n")
    return words if is_visible(words) else None


def _opening(
    letter: InboundMail, person: str, arrival: MailContext, policy: Policy
) -> Open:
    contact = _contact(letter, person, arrival).model_copy(
        update={
            "service": letter.service if letter.service in policy.services else None
        }
    )
    if arrival.reported_at:
        contact = contact.model_copy(update={"backdated_because": _BECAUSE})
    command = command_of(contact)
    if not isinstance(command, Open):
        raise TypeError("a contact that names no incident opens one")
    return command.model_copy(update={"sender_unconfirmed": not arrival.confirmed})


def _attaching(
    letter: InboundMail, person: str, incident: Incident, arrival: MailContext
) -> Open | Attach:
    contact = _contact(letter, person, arrival)
    command = command_of(contact.model_copy(update={"incident": incident.ref}))
    return command.model_copy(update={"sender_unconfirmed": not arrival.confirmed})


def _contact(letter: InboundMail, person: str, arrival: MailContext) -> Contact:
    return Contact(
        person=person,
        channel=arrival.channel,
        title=title_of(letter),
        words=words_of(letter),
        reported_at=arrival.reported_at,
    )


def _doubt(person: str, incident: Incident, arrival: MailContext) -> str | None:
    """Return why a mail does not count as the sender's reply, or None if it does."""
    if person not in incident.reporters:
        return f"{incident.ref} is not known to be theirs: it speaks for nobody yet"
    if not arrival.confirmed:
        return "nothing proves who sent it: it speaks for nobody yet"
    return None


def _is_past(incident: Incident, at: datetime, policy: Policy) -> bool:
    """Return whether a reply to the incident would no longer be noticed."""
    if incident.status is Status.CLOSED:
        return not may_reopen(incident, at, policy)
    return incident.status is Status.CANCELLED


def _is_to_reopen(incident: Incident, policy: Policy) -> bool:
    match policy.desk.replies_reopen:
        case "closed":
            return incident.status is Status.CLOSED
        case "resolved":
            return incident.status not in AT_WORK
        case "never":
            return False


def _size(size: int) -> str:
    for unit in ("B", "kB"):
        if size < 1_000:  # noqa: PLR2004 # next unit from a thousand on
            return f"{size} {unit}"
        size //= 1_000
    return f"{size} MB"
