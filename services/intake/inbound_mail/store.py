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

from services.intake.attachments.rules import IncomingFile
from services.intake.inbound_mail.message import Attachment, InboundMail
from services.intake.inbound_mail.parser import read_letter
from services.intake.inbound_mail.placement import fresh_part
from shared.attachments.file_type import plain_name
from shared.security.signed_links import ReplyTag
from shared.vault.vault import Vault

Verdict = Literal["opened", "attached", "automatic", "held", "unreadable", "answered"]
"""`answered`: it took an incident for which its author had been paged."""
AN_HOUR = timedelta(hours=1)
RAW_BYTES_MAX = 1024 * 1024
"""Bytes stored of a mail that could not be read."""

FILES_BYTES_MAX = 256 * 1024 * 1024
"""How much the files of all mails that were set aside may take, sealed and encoded.

Anybody can send such mails. The files of those beyond it are not stored.
"""

_FIND = """
SELECT verdict, reason, incident, person, sender_confirmed
FROM intake.letters WHERE key = %s
"""
_KEEP = """
INSERT INTO intake.letters
    (key, source, received_at, verdict, reason, incident, person, owner, sealed,
     sender_confirmed, sealed_files)
SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::text
ON CONFLICT (key) DO NOTHING
"""
_FILES_BYTES = """
SELECT coalesce(sum(octet_length(sealed_files)), 0)::bigint FROM intake.letters
WHERE sealed_files IS NOT NULL
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
    """Source and time of a mail, and its text encrypted with the key of `owner`.

    `files` are its files, encrypted, if they are to be stored.
    """

    source: str
    at: datetime
    owner: str
    sealed: str
    files: str | None = None


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
    """Store a mail and its result; only once. Files are stored as far as they fit."""
    files = kept.files
    if files is not None:
        row = cursor.execute(_FILES_BYTES).fetchone()
        stored = int(row[0]) if row else 0
        files = files if stored + len(files) <= FILES_BYTES_MAX else None
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
            files,
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


def sealed_files(vault: Vault, letter: InboundMail, owner: str) -> str | None:
    """Return the files of a mail encrypted with the key of `owner`; None without."""
    held = [
        {**_described(each), "content": base64.b64encode(each.content).decode()}
        for each in letter.files
    ]
    if not held:
        return None
    return vault.seal(owner, orjson.dumps(held), _files_place(letter.key))


def _described(file: IncomingFile) -> dict[str, object]:
    return {
        "name": file.name,
        "media_type": file.media_type,
        "size": file.size,
        "is_inline": file.is_inline,
        "is_cut": file.is_cut,
    }


def _files_place(key: UUID) -> str:
    return f"letter-files|{key}"


SET_ASIDE: tuple[Verdict, ...] = ("automatic", "held", "unreadable")
"""The results for mails that led to nothing."""

_SET_ASIDE_FIND = """
SELECT source, received_at, verdict, incident, sealed, sealed_files
FROM intake.letters WHERE key = %s
"""
_TAKEN = """
UPDATE intake.letters
SET verdict = %s, reason = %s, incident = %s, person = %s, owner = %s, sealed = %s,
    sender_confirmed = %s, sealed_files = NULL, retried_at = %s, retried_by = %s
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
    sealed_files: str | None


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
        raw = base64.b64decode(held["raw"])
        letter = read_letter(raw, our_address, is_cut=len(raw) >= RAW_BYTES_MAX)
        return replace(letter, key=key, automatic=None)
    letter = _letter(key, held, found)
    files = (
        vault.open(found.sealed_files, _files_place(key))
        if found.sealed_files
        else None
    )
    return letter if files is None else replace(letter, files=_stored_files(files))


def note_taken(
    cursor: Cursor[Any], key: UUID, fate: MailOutcome, kept: StoredMail, by: str
) -> None:
    """Record the new result for a mail that was set aside; only once."""
    told = (fate.verdict, fate.reason, fate.incident, fate.person)
    held = (kept.owner, kept.sealed, fate.confirmed)
    cursor.execute(_TAKEN, (*told, *held, kept.at, by, key, list(SET_ASIDE)))


def _letter(key: UUID, held: Mapping[str, Any], found: SetAsideMail) -> InboundMail:
    words, sent_at = held.get("words") or "", held.get("sent_at")
    attachments = tuple(Attachment(**each) for each in held.get("attachments", ()))
    named = held.get("incidents") or filter(None, [found.incident])
    return InboundMail(
        key=key,
        sender=held.get("from") or "",
        name=held.get("name") or "",
        subject=held.get("subject") or "",
        words=words,
        fresh=fresh_part(words),
        incidents=tuple(named),
        attachments=attachments,
        files=tuple(map(_set_aside, attachments)),
        message_id=held.get("message_id"),
        sent_at=datetime.fromisoformat(sent_at) if sent_at else None,
        service=held.get("service"),
        language=held.get("language"),
        authentic=bool(held.get("authentic")),
        tags=tuple(ReplyTag(*each) for each in held.get("tags", ())),
    )


def _stored_files(opened: bytes) -> tuple[IncomingFile, ...]:
    held: list[dict[str, Any]] = orjson.loads(opened)
    return tuple(
        IncomingFile(**{**each, "content": base64.b64decode(each["content"])})
        for each in held
    )


def _set_aside(attachment: Attachment) -> IncomingFile:
    """Return a file whose content was not stored with its mail."""
    name, kind = plain_name(attachment.name), attachment.kind
    return IncomingFile(name, b"", kind, attachment.size, is_set_aside=True)
