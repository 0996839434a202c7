"""Letters that were set aside, as they lie there: read again from what was kept."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg import Cursor

from services.intake.letters.letter import Attachment, Letter
from services.intake.letters.naming import fresh_part
from services.intake.letters.reading import read_letter
from services.intake.letters.rows import Fate, Kept, Verdict
from shared.security.signed_links import ReplyTag
from shared.vault.vault import Vault

SET_ASIDE: tuple[Verdict, ...] = ("automatic", "held", "unreadable")
"""The outcome of letters of which nothing came."""

_FIND = """
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
class Lying:
    """A letter as it lies there, whatever became of it."""

    source: str
    received_at: datetime
    verdict: Verdict
    incident: str | None
    sealed: str


def lying(cursor: Cursor[Any], key: UUID) -> Lying | None:
    """Return the letter of this key, None if unknown."""
    row = cursor.execute(_FIND, (key,)).fetchone()
    return Lying(*row) if row else None


def read_lying(
    vault: Vault, key: UUID, found: Lying, our_address: str | None
) -> Letter | None:
    """Return it as a letter that a person wrote; None where it was forgotten."""
    opened = vault.open(found.sealed, f"letter|{key}")
    if opened is None:
        return None
    held: dict[str, Any] = orjson.loads(opened)
    if "raw" in held:
        letter = read_letter(base64.b64decode(held["raw"]), our_address)
        return replace(letter, key=key, automatic=None)
    return _letter(key, held, found)


def note_taken(cursor: Cursor[Any], key: UUID, fate: Fate, kept: Kept, by: str) -> None:
    """Write down the outcome of a letter that was set aside; once."""
    told = (fate.verdict, fate.reason, fate.incident, fate.person)
    held = (kept.owner, kept.sealed, fate.confirmed)
    cursor.execute(_TAKEN, (*told, *held, kept.at, by, key, list(SET_ASIDE)))


def _letter(key: UUID, held: Mapping[str, Any], found: Lying) -> Letter:
    words, sent_at = held.get("words") or "", held.get("sent_at")
    named = held.get("incidents") or filter(None, [found.incident])
    return Letter(
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
