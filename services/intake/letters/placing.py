"""Where a letter belongs: to the incident it answers, or to a new one. Pure.

Anybody can write any address as their own and name any incident. So a letter speaks
for its person only where they reported that incident, and something proves that they
wrote it; any other is attached as heard, and an agent decides what it is.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.intake.decider.ending import may_reopen
from services.intake.letters.letter import Letter
from shared.domain.bounded_text import TITLE_MAX, WORDS_BYTES_MAX, WORDS_MAX
from shared.domain.commands.contact import Contact, wish_of
from shared.domain.commands.incident import Attach, Open, Reopen
from shared.domain.incident import AT_WORK, Incident, Status
from shared.domain.policy.document import Policy
from shared.domain.policy.targets import Channel

LATE = timedelta(minutes=1)
"""A letter read later than this after it came was reported when it came."""
ROOM_FOR_NAMES = 1_500
"""Characters left for the names of what came with it."""
UNTITLED = "…"
CUT = "\n[…]"
_BECAUSE = "it had come before it was read"


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a letter came: when it is read, when it had come, by which channel."""

    at: datetime
    channel: Channel
    arrived_at: datetime | None = None
    confirmed: bool = False
    """Whether anything proves that its person wrote it."""

    @property
    def reported_at(self) -> datetime | None:
        """When it had come, where that was noticeably before it was read."""
        if self.arrived_at is None or self.arrived_at >= self.at - LATE:
            return None
        return self.arrived_at


@dataclass(frozen=True, slots=True)
class Placed:
    """What a letter asks of the desk, one after another; `note` is for agents."""

    incident: str | None
    wishes: tuple[Open | Attach | Reopen, ...]
    note: str | None = None


def placed(
    letter: Letter,
    person: str,
    incident: Incident | None,
    arrival: Arrival,
    policy: Policy,
) -> Placed:
    """Return where a letter of `person` belongs, given the incident it names."""
    if incident is None:
        named = letter.incidents[0] if letter.incidents else None
        note = f"it names {named}, which is not here" if named else None
        return Placed(None, (_opening(letter, person, arrival, policy),), note)
    if _is_past(incident, arrival.at, policy):
        opening = _opening(letter, person, arrival, policy)
        follows = opening.model_copy(update={"follows": incident.ref})
        note = f"it answers {incident.ref}, which is {incident.status} for good"
        return Placed(None, (follows,), note)
    attach = _attaching(letter, person, incident, arrival)
    if doubt := _doubt(person, incident, arrival):
        heard = attach.model_copy(update={"unconfirmed": True})
        return Placed(incident.ref, (heard,), doubt)
    if _is_to_reopen(incident, policy):
        return Placed(incident.ref, (attach, Reopen(cause="user")))
    return Placed(incident.ref, (attach,))


def vouched(
    letter: Letter, person: str, incident: Incident, arrival: Arrival
) -> Placed:
    """Return where a letter belongs by an agent's word: there, and its person too."""
    attach = _attaching(letter, person, incident, replace(arrival, confirmed=True))
    return Placed(incident.ref, (attach,))


def title_of(letter: Letter) -> str:
    """Return what a letter is about, on one line."""
    for text in (letter.subject, letter.fresh, letter.words):
        for line in text.splitlines():
            if words := " ".join(line.split()):
                return words[:TITLE_MAX].rstrip()
    return UNTITLED


def words_of(letter: Letter) -> str | None:
    """Return the words as a contact holds them: to its limits, with what came along."""
    names = "".join(
        f"\n📎 {each.name} ({_size(each.size)})" for each in letter.attachments
    )
    if len(names) > ROOM_FOR_NAMES:
        names = f"\n📎 × {len(letter.attachments)}"
    room = WORDS_MAX - len(names) - len(CUT)
    bytes_room = WORDS_BYTES_MAX - len((names + CUT).encode())
    said = letter.words[:room].encode()[:bytes_room].decode("utf-8", "ignore")
    whole = said if said == letter.words else said + CUT
    return (whole + names).strip("\n") or None


def _opening(letter: Letter, person: str, arrival: Arrival, policy: Policy) -> Open:
    contact = _contact(letter, person, arrival).model_copy(
        update={
            "service": letter.service if letter.service in policy.services else None
        }
    )
    if arrival.reported_at:
        contact = contact.model_copy(update={"backdated_because": _BECAUSE})
    wish = wish_of(contact)
    if not isinstance(wish, Open):
        raise TypeError("a contact that names no incident opens one")
    return wish.model_copy(update={"sender_unconfirmed": not arrival.confirmed})


def _attaching(
    letter: Letter, person: str, incident: Incident, arrival: Arrival
) -> Open | Attach:
    contact = _contact(letter, person, arrival)
    wish = wish_of(contact.model_copy(update={"incident": incident.ref}))
    return wish.model_copy(update={"sender_unconfirmed": not arrival.confirmed})


def _contact(letter: Letter, person: str, arrival: Arrival) -> Contact:
    return Contact(
        person=person,
        channel=arrival.channel,
        title=title_of(letter),
        words=words_of(letter),
        reported_at=arrival.reported_at,
    )


def _doubt(person: str, incident: Incident, arrival: Arrival) -> str | None:
    """Return why a letter speaks for nobody yet; None where it does for its person."""
    if person not in incident.reporters:
        return f"{incident.ref} is not known to be theirs: it speaks for nobody yet"
    if not arrival.confirmed:
        return "nothing proves who sent it: it speaks for nobody yet"
    return None


def _is_past(incident: Incident, at: datetime, policy: Policy) -> bool:
    """Tell whether nobody would see an answer there any more."""
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
        if size < 1_000:  # noqa: PLR2004 # a thousand of it is the next unit
            return f"{size} {unit}"
        size //= 1_000
    return f"{size} MB"
