"""Stored inbound mails: the result for each and its encrypted text; none is dropped.

Mails that were set aside can be read again from what was stored.
"""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import orjson
from psycopg import Cursor

from services.intake.inbound_mail.message import Attachment, InboundMail
from services.intake.inbound_mail.parser import read_letter
from services.intake.inbound_mail.placement import fresh_part
from shared.security.signed_links import ReplyTag
from shared.vault.vault import Vault

Verdict = Literal["opened", "attached", "automatic", "held", "unreadable"]
AN_HOUR = timedelta(hours=1)
RAW_BYTES_MAX = 1024 * 1024
"""Bytes stored of a mail that could not be read."""

_FIND = """
SELECT verdict, reason, incident, person, sender_confirmed
FROM intake.letters WHERE key = %s
"""
_KEEP = """
INSERT INTO intake.letters
    (key, source, received_at, verdict, reason, incident, person, owner, sealed,
     sender_confirmed)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (key) DO NOTHING
"""
_COUNT = """
SELECT count(*) FROM intake.letters WHERE person = ANY(%s) AND received_at > %s
  AND sender_confirmed = %s AND (source = %s) = %s
"""
FORM = "form"
"""The source name of reports from the form."""


@dataclass(frozen=True, slots=True)
class MailOutcome:
    """The result for a mail, and why; `person` is the author, if known."""

    verdict: Verdict
    reason: str | None = None
    incident: str | None = None
    person: str | None = None
    confirmed: bool = False
    """Whether it is proven that this person wrote it."""


@dataclass(frozen=True, slots=True)
class StoredMail:
    """Source and time of a mail, and its text encrypted with the key of `owner`."""

    source: str
    at: datetime
    owner: str
    sealed: str


def fate_of(cursor: Cursor[Any], key: UUID) -> MailOutcome | None:
    """Return the result for a mail received before, or None for a new one."""
    row = cursor.execute(_FIND, (key,)).fetchone()
    return MailOutcome(*row) if row else None


def written_lately(
    cursor: Cursor[Any],
    people: tuple[str, ...],
    now: datetime,
    *,
    confirmed: bool,
    by_form: bool,
) -> int:
    """Return how many mails of one kind these people sent within the hour.

    Anybody may send mails of the other kinds in their name: these must not block
    theirs.
    """
    asked = (list(people), now - AN_HOUR, confirmed, FORM, by_form)
    row = cursor.execute(_COUNT, asked).fetchone()
    return int(row[0]) if row else 0


def keep(cursor: Cursor[Any], key: UUID, fate: MailOutcome, kept: StoredMail) -> None:
    """Store a mail and its result; only once."""
    cursor.execute(
        _KEEP,
        (
            key,
            kept.source,
            kept.at,
            fate.verdict,
            fate.reason,
            fate.incident,
            fate.person,
            kept.owner,
            kept.sealed,
            fate.confirmed,
        ),
    )


def sealed(vault: Vault, letter: InboundMail, owner: str, raw: bytes | None) -> str:
    """Return a mail encrypted with the key of `owner`, with its bytes if given."""
    held: dict[str, object] = {
        "from": letter.sender,
        "name": letter.name,
        "subject": letter.subject,
        "message_id": letter.message_id,
        "sent_at": letter.sent_at,
        "words": letter.words,
        "attachments": [asdict(each) for each in letter.attachments],
        "incidents": letter.incidents,
        "service": letter.service,
        "language": letter.language,
        "authentic": letter.authentic,
        "tags": [list(each) for each in letter.tags],
    }
    if raw is not None:
        held["raw"] = base64.b64encode(raw[:RAW_BYTES_MAX]).decode()
    return vault.seal(owner, orjson.dumps(held), f"letter|{letter.key}")


SET_ASIDE: tuple[Verdict, ...] = ("automatic", "held", "unreadable")
"""The results for mails that led to nothing."""

_SET_ASIDE_FIND = """
SELECT source, received_at, verdict, incident, sealed FROM intake.letters
WHERE key = %s
"""
_TAKEN = """
UPDATE intake.letters
SET verdict = %s, reason = %s, incident = %s, person = %s, owner = %s, sealed = %s,
    sender_confirmed = %s, retried_at = %s, retried_by = %s
WHERE key = %s AND verdict = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class SetAsideMail:
    """A stored mail with its result."""

    source: str
    received_at: datetime
    verdict: Verdict
    incident: str | None
    sealed: str


def lying(cursor: Cursor[Any], key: UUID) -> SetAsideMail | None:
    """Return the mail with this key, or None if it is unknown."""
    row = cursor.execute(_SET_ASIDE_FIND, (key,)).fetchone()
    return SetAsideMail(*row) if row else None


def read_lying(
    vault: Vault, key: UUID, found: SetAsideMail, our_address: str | None
) -> InboundMail | None:
    """Return it as a mail written by a person; None if its author was forgotten."""
    opened = vault.open(found.sealed, f"letter|{key}")
    if opened is None:
        return None
    held: dict[str, Any] = orjson.loads(opened)
    if "raw" in held:
        letter = read_letter(base64.b64decode(held["raw"]), our_address)
        return replace(letter, key=key, automatic=None)
    return _letter(key, held, found)


def note_taken(
    cursor: Cursor[Any], key: UUID, fate: MailOutcome, kept: StoredMail, by: str
) -> None:
    """Record the new result for a mail that was set aside; only once."""
    told = (fate.verdict, fate.reason, fate.incident, fate.person)
    held = (kept.owner, kept.sealed, fate.confirmed)
    cursor.execute(_TAKEN, (*told, *held, kept.at, by, key, list(SET_ASIDE)))


def _letter(key: UUID, held: Mapping[str, Any], found: SetAsideMail) -> InboundMail:
    words, sent_at = held.get("words") or "", held.get("sent_at")
    named = held.get("incidents") or filter(None, [found.incident])
    return InboundMail(
        key=key,
        sender=held.get("from") or "",
        name=held.get("name") or "",
        subject=held.get("subject") or "",
        words=words,
        fresh=fresh_part(words),
        incidents=tuple(named),
        attachments=tuple(Attachment(**each) for each in held.get("attachments", ())),
        message_id=held.get("message_id"),
        sent_at=datetime.fromisoformat(sent_at) if sent_at else None,
        service=held.get("service"),
        language=held.get("language"),
        authentic=bool(held.get("authentic")),
        tags=tuple(ReplyTag(*each) for each in held.get("tags", ())),
    )
