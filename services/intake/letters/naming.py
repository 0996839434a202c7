"""Which incidents a mail names, and what it is about."""

import re
from email.message import Message

from services.intake.letters.headers import decoded, every, text
from services.intake.letters.letter import INCIDENTS_MAX, SUBJECT_MAX
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
    """Return the incidents a mail answers, the surest first.

    References and In-Reply-To are ours where they end in our domain, if that is known;
    the subject may be written by anybody, and comes last.
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
    """Return the tags of our mails that a mail answers, or is sent to."""
    shown = (_threads(message), *(each for to in _TO for each in every(message, to)))
    found = presented(" ".join(shown), _domain(our_address))
    return tuple(dict.fromkeys(found))[:INCIDENTS_MAX]


def _threads(message: Message) -> str:
    ids = (*every(message, "In-Reply-To"), *every(message, "References"))
    return decoded(" ".join(ids))  # some programs encode ids that are long


def _domain(our_address: str | None) -> str | None:
    return our_address.rpartition("@")[2].casefold() if our_address else None


def subject_of(message: Message) -> str:
    """Return what a mail is about: its subject, without what replying adds."""
    subject = _IN_SUBJECT.sub(" ", text(message, "Subject"))
    return _LEADING.sub("", " ".join(subject.split())).strip()[:SUBJECT_MAX]


def fresh_part(words: str) -> str:
    """Return the words that come before what they quote."""
    fresh: list[str] = []
    for line in words.splitlines():
        if _QUOTING.match(line.strip()):
            break
        fresh.append(line)
    return "\n".join(fresh).strip()
