"""Verifies the links by which people who were paged answer without signing in.

A link is bound to one person and one page. It is void once the person was removed, and
if the log does not contain that page: after a restore another one may have its key. It
is refused while they have no right to work on the incident. The API and the owners of
streams check the same.
"""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from shared.database.cursors import Cursors
from shared.domain.commands.escalation import DeclinePage, PageAnother, TakePage
from shared.domain.commands.incident import Acknowledge
from shared.domain.events import EscalationPaged
from shared.domain.identifiers import escalation_stream, incident_stream
from shared.domain.limits import covered
from shared.domain.page_state import PageStanding, standing_of
from shared.eventlog.entry import Entry
from shared.eventlog.epochs import read_epochs
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage, Scope
from shared.security.places import places
from shared.security.rights import is_removed, rights_of
from shared.security.signed_links import (
    PAGE_LINK_VALID,
    PAGE_LINKS_PURPOSE,
    PageLink,
    read_page_token,
)

ANSWERERS: frozenset[Scope] = frozenset({"agent", "manager", "admin"})
"""The roles whose holders may take an incident that they are paged for."""


def read_page_link(keys: Sequence[bytes], token: str, now: datetime) -> PageLink:
    """Return the content of a link that is valid at `now`. Raises `HttpError` 404."""
    link = read_page_token(keys, token)
    if link is None:
        raise _void("this link is not complete: open it from the message again")
    if link.until <= now:
        raise HttpError(
            404,
            "this link has expired: open the incident at the service desk",
            code="expired_link",
        )
    return link


def require_right(
    log: EventLog, cursor: Cursors, link: PageLink, now: datetime
) -> None:
    """Raise `HttpError` if the person may not work on the incident now.

    404 if they were removed or the log does not contain the page, 403 without a role
    for the incident.
    """
    place = places(log, cursor, [link.incident]).get(link.incident)
    is_gone = is_removed(cursor, link.person)
    if place is None or is_gone or not _is_in_log(log, cursor, link):
        raise _void("this link is no longer valid")
    if any(
        role in ANSWERERS and covered((limits,), place)
        for role, limits in rights_of(cursor, link.person, now)
    ):
        return
    raise HttpError(
        403,
        "you may not work on this incident: ask a manager of the desk for the right",
        code="role",
    )


def _is_in_log(log: EventLog, cursor: Cursors, link: PageLink) -> bool:
    pages = log.histories(cursor, [escalation_stream(link.incident)])
    epochs = read_epochs(cursor)
    return any(
        isinstance(each.event, EscalationPaged)
        and each.event.key == link.page
        and epochs.of(each.position).label == link.epoch
        for each in pages
    )


def link_to(page: EscalationPaged, person: str, epoch: str) -> PageLink:
    """Return the link by which a person answers a page of an epoch."""
    return PageLink(page.key, person, page.at + PAGE_LINK_VALID, epoch)


def page_history(log: EventLog, cursor: Cursors, incident: str) -> Sequence[Entry]:
    """Return the entries of an incident and of its escalation, in log order."""
    streams = [incident_stream(incident), escalation_stream(incident)]
    return sorted(log.histories(cursor, streams), key=attrgetter("position"))


def standing_in(log: EventLog, cursor: Cursors, incident: str) -> PageStanding:
    """Return the state of the pages at the level where an incident is now."""
    history = page_history(log, cursor, incident)
    return standing_of(entry.event for entry in history)


def answers_page(
    log: EventLog, token: str, now: datetime, message: CommandMessage[Any]
) -> PageLink:
    """Return the link of a command that it allows. Raises `HttpError`; blocks.

    The link answers its page, as the page does; who has accepted by it acknowledges.
    """
    link = read_page_link(log.vault.keys_for(PAGE_LINKS_PURPOSE), token, now)
    with log.transaction() as cursor:
        if not _allows(log, cursor, link, message):
            raise HttpError(
                403, f"the link only answers a page about {link.incident}", code="scope"
            )
        require_right(log, cursor, link, now)
    return link


def _allows(
    log: EventLog,
    cursor: Cursors,
    link: PageLink,
    message: CommandMessage[Any],
) -> bool:
    if message.incident != link.incident:
        return False
    match message.body:
        case TakePage(page=page) | DeclinePage(page=page) | PageAnother(page=page):
            return page == link.page
        case Acknowledge():
            standing = standing_in(log, cursor, link.incident)
            return standing.has(link.page) and link.person in standing.takers
        case _:
            return False


def _void(why: str) -> HttpError:
    return HttpError(404, why, code="unknown_link")
