"""Recognises a reply to a page by which its reader takes the incident.

A "yes" alone counts, in the first line of the reply, from an address of the person who
was paged: the reply has to carry the tag that only the mail with that page had.
Anything else is a mail like others.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from services.intake.inbound_mail.context import senders_of
from services.intake.inbound_mail.message import InboundMail
from services.intake.inbound_mail.store import fate_of
from shared.contact_methods.store import people_at
from shared.database.cursors import Cursors
from shared.domain.events import EscalationPaged
from shared.domain.page_state import standing_of
from shared.eventlog.epochs import read_epochs
from shared.eventlog.log import EventLog
from shared.security.page_links import link_to, page_history
from shared.security.signed_links import (
    PAGE_TAGS_PURPOSE,
    PageLink,
    vouches_for_page,
)

_YES = re.compile(
    r"(oui|yes|ok|okay|i take it|i[’']ll take it|je prends|je le prends)\s*[.!]*",
    re.IGNORECASE,
)


def is_yes(fresh: str) -> bool:
    """Return whether the first line of a reply, without quotations, is a "yes"."""
    lines = (" ".join(line.split()) for line in fresh.splitlines())
    first = next((line for line in lines if line), "")
    return _YES.fullmatch(first) is not None


def page_reply(log: EventLog, letter: InboundMail, now: datetime) -> PageLink | None:
    """Return the page that a mail takes, None if it is another mail. Blocks."""
    if letter.automatic or not is_yes(letter.fresh):
        return None
    with log.transaction() as cursor:
        who = _people_who_write(cursor, letter.sender)
        if not who or fate_of(cursor, letter.key) is not None:
            return None
        page, epoch = _answered_page(log, cursor, letter)
    if page is None:
        return None
    person = next((each for each in who if each in page.people), None)
    if person is None:
        return None
    link = link_to(page, person, epoch)
    return link if link.until > now else None


def _people_who_write(cursor: Cursors, address: str) -> Sequence[str]:
    """Return whose address this is: of their entry, or of a method they verified."""
    listed = senders_of(cursor, address)
    known = listed.ids if listed is not None and listed.known else ()
    return (*known, *people_at(cursor, address))


def _answered_page(
    log: EventLog, cursor: Cursors, letter: InboundMail
) -> tuple[EscalationPaged | None, str]:
    """Return the page that the sender answers, if it is of this stay, and its epoch."""
    keys = log.vault.keys_for(PAGE_TAGS_PURPOSE)
    epochs = read_epochs(cursor)
    for tag in letter.tags:
        history = page_history(log, cursor, tag.incident)
        standing = standing_of(each.event for each in history)
        for entry in history:
            page, epoch = entry.event, epochs.of(entry.position).label
            if not isinstance(page, EscalationPaged) or not standing.has(page.key):
                continue
            sender = letter.sender
            if any(vouches_for_page(k, tag, page.key, sender, epoch) for k in keys):
                return page, epoch
    return None, ""
