"""Composes messages about contact methods: codes, and notices of changes.

A code goes to the method that it proves. A notice goes to the person's address in the
directory and to their verified addresses, so that somebody who takes over a session
cannot redirect pages unseen.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter

from services.escalation.notifications.channels.parcel import (
    ByMail,
    Parcel,
    ToContact,
)
from shared.contact_methods.codes import VALID, code_of, code_of_request
from shared.contact_methods.fingerprints import checked_values
from shared.contact_methods.store import ContactValue
from shared.database.cursors import Cursors
from shared.directory import DirectoryEntry, entry
from shared.domain.events.contact_method import DIRECTORY_MAIL
from shared.domain.events.notification import Channel as ChannelName
from shared.eventlog.log import EventLog
from shared.i18n.access_notices import AccessNotice, ContactChange, ContactCode
from shared.i18n.catalog import ENGLISH
from shared.i18n.formats import language_of
from shared.i18n.short_messages import ShortMessage
from shared.security.mail_requests import MailRequest
from shared.security.sender import seal_keys_of
from shared.vault.vault import Vault

Mail = Callable[[str, DirectoryEntry, str, AccessNotice], ByMail]
"""Returns a mail by its key, its reader, their address, and what it says."""
_CHANGES: Mapping[str, Literal["added", "verified", "removed"]] = {
    "added": "added",
    "verified": "verified",
    "removed": "removed",
}
_KINDS: TypeAdapter[ChannelName] = TypeAdapter(ChannelName)


def code_letters(
    cursor: Cursors, log: EventLog, request: MailRequest, mail: Mail, now: datetime
) -> Sequence[Parcel]:
    """Return the message with a code; none if the code or the method is gone."""
    sent = code_of_request(cursor, request.request_id)
    reader = entry(cursor, request.person or "")
    if sent is None or reader is None or not sent.is_open(now):
        return ()
    values = checked_values(log.vault, cursor, [reader.id])[reader.id]
    value = values.get(sent.method)
    if value is None or value.is_changed:
        return ()
    minutes = int(VALID.total_seconds() // 60)
    notice = ContactCode(code_of(seal_keys_of(log)()[0], sent), minutes)
    letter = mail(f"{request.request_id}|code", reader, value.value, notice)
    return [letter if value.kind == "mail" else _short(letter, value, reader)]


def _short(letter: ByMail, value: ContactValue, reader: DirectoryEntry) -> ToContact:
    """Return the subject of a letter, which has the code, for another channel."""
    language = language_of(reader.language, ENGLISH)
    message = ShortMessage("", letter.message.subject, language)
    kind: ChannelName = _KINDS.validate_python(value.kind)
    return ToContact(letter.key, kind, value.value, message, method=value.method)


def change_letters(
    cursor: Cursors, vault: Vault, request: MailRequest, mail: Mail, url: str
) -> Sequence[Parcel]:
    """Return the notices of a change to a person, one for each of their addresses."""
    reader = entry(cursor, request.person or "")
    if reader is None:
        return ()
    written, kind, method = request.label.split("|", 2)
    change = _CHANGES[written]
    notice = ContactChange(change, kind, url=f"{url}/me/contact-methods" if url else "")
    return [
        mail(f"{request.request_id}|{each.method}", reader, each.value, notice)
        for each in checked_values(vault, cursor, [reader.id])[reader.id].values()
        if each.method != method and _is_told(each)
    ]


def _is_told(value: ContactValue) -> bool:
    if value.kind != "mail" or value.is_changed:
        return False
    return value.method == DIRECTORY_MAIL or value.verified_at is not None
