"""What an invitation writes: an entry in the directory, a link, and its mail.

The link is made here, so that it is listed and can be revoked before it is mailed. Its
secret follows from the vault's key and the id of the request, so escalation, which
mails it, makes it again; it is stored nowhere.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4  # noqa: TID251 # part of a secret

from services.intake.directory.mailed_links import end_mailed_links
from services.intake.directory.store import (
    DirectoryChange,
    directory_changes,
    write_people,
)
from services.intake.people.rules import Entry
from shared.database.cursors import Cursors
from shared.domain.commands.person import InvitePerson
from shared.domain.events.person import PersonInvited
from shared.security.mail_requests import request_invitation
from shared.security.seals import SealKeys
from shared.security.sign_in_links import (
    NewLink,
    create_link,
    key_of_invitation,
    revoke_links,
)

_ENTRIES = """
SELECT id, email FROM directory.people WHERE id = %s OR lower(email) = lower(%s)
ORDER BY id LIMIT 100
"""


def entries(cursor: Cursors, command: InvitePerson) -> tuple[Entry, ...]:
    """Return the entries with the id or with the address of an invitation."""
    rows = cursor.execute(_ENTRIES, (command.person, command.email)).fetchall()
    return tuple(Entry(*row) for row in rows)


def write_entry(
    cursor: Cursors, command: InvitePerson, event: PersonInvited
) -> Sequence[DirectoryChange]:
    """Add a person to the directory; of one who is there confirm what there is."""
    known = {each.person: each.email for each in entries(cursor, command)}
    row: dict[str, str | None] = {"id": command.person}
    if command.person not in known:
        row |= {"name": command.name, "language": command.language}
    if not known.get(command.person):
        row["email"] = command.email
    changes = directory_changes(cursor, [row], event.at)
    write_people(cursor, [each.person for each in changes], event.at)
    return changes


def write_changes(
    cursor: Cursors, changes: Sequence[DirectoryChange], at: datetime
) -> None:
    """Write what an import changes in the directory.

    Links that were mailed to an address that is no longer theirs end.
    """
    write_people(cursor, [each.person for each in changes if each.columns], at)
    for each in changes:
        if "email" in each.columns and not each.is_new:
            end_mailed_links(cursor, each.person.id, at)


def write_link(cursor: Cursors, keys: SealKeys, event: PersonInvited) -> bool:
    """Make the link in place of an earlier one, and ask for its mail.

    False if too much mail waits. Raises `NoVault`. The id of the request is random: one
    that follows from the stream would be given again after a restore, and with it the
    link of an invitation that the restore undid.
    """
    actor = f"person:{event.person}"
    request = uuid4()
    revoke_links(cursor, event.at, ("invitation",), actor=actor)
    held = keys()
    key = key_of_invitation(held[0], request, event.person) if held else None
    link = NewLink(actor, "invitation", event.until - event.at, label=event.by, key=key)
    create_link(cursor, keys, event.at, link)
    return request_invitation(cursor, request, event.person, event.by, event.at)
