"""Letters as kept: the outcome of each, its words sealed; nothing is dropped."""

import base64
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import orjson
from psycopg import Cursor

from services.intake.letters.letter import Letter
from shared.vault.vault import Vault

Verdict = Literal["opened", "attached", "automatic", "held", "unreadable"]
AN_HOUR = timedelta(hours=1)
RAW_BYTES_MAX = 1024 * 1024
"""What is kept of a mail that nobody could have written."""

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
"""The source of what anybody tells the form."""


@dataclass(frozen=True, slots=True)
class Fate:
    """The outcome of a letter, and why; `person` is who wrote it, where known."""

    verdict: Verdict
    reason: str | None = None
    incident: str | None = None
    person: str | None = None
    confirmed: bool = False
    """Whether anything proves that this person wrote it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a letter came from and when, and its words under the key of `owner`."""

    source: str
    at: datetime
    owner: str
    sealed: str


def fate_of(cursor: Cursor[Any], key: UUID) -> Fate | None:
    """Return the outcome of a letter that came before, None for a new one."""
    row = cursor.execute(_FIND, (key,)).fetchone()
    return Fate(*row) if row else None


def written_lately(
    cursor: Cursor[Any],
    people: tuple[str, ...],
    now: datetime,
    *,
    confirmed: bool,
    by_form: bool,
) -> int:
    """Return how many letters of one kind these people sent within the hour.

    Anybody may send the others in their name: that must not silence them.
    """
    asked = (list(people), now - AN_HOUR, confirmed, FORM, by_form)
    row = cursor.execute(_COUNT, asked).fetchone()
    return int(row[0]) if row else 0


def keep(cursor: Cursor[Any], key: UUID, fate: Fate, kept: Kept) -> None:
    """Keep a letter and its outcome; once."""
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


def sealed(vault: Vault, letter: Letter, owner: str, raw: bytes | None) -> str:
    """Return a letter sealed under the key of `owner`, with its bytes if given."""
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
