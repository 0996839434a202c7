"""Bundles of pages: who was sent one, which pages are in it, and the links to them.

A link is bound to one person and one bundle. It is void if the log does not contain
that bundle: after a restore another one may have its key. What its holder may do with
each page is what a link to that page allows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.database.cursors import Cursors
from shared.domain.events import EscalationPaged
from shared.domain.events.notification import NotificationBundled, NotificationRequested
from shared.domain.identifiers import bundling_incident, escalation_stream
from shared.eventlog.entry import Entry
from shared.eventlog.epochs import Epochs, read_epochs
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.security.page_links import link_to
from shared.security.rights import is_removed
from shared.security.signed_links import (
    PAGE_LINK_VALID,
    BundleLink,
    PageLink,
    read_bundle_token,
)


@dataclass(frozen=True, slots=True)
class RecordedBundle:
    """A bundle as it is in the log; `epoch` is that of its event."""

    event: NotificationBundled
    epoch: str
    position: int


def bundle_named(log: EventLog, cursor: Cursors, key: str) -> RecordedBundle | None:
    """Return a bundle by its key, None if the log does not contain it."""
    stream = escalation_stream(bundling_incident(key))
    epochs = read_epochs(cursor)
    for entry in _entries(log, cursor, [stream]):
        match entry.event:
            case NotificationBundled(bundle=name) as event if name == key:
                epoch = epochs.of(entry.position).label
                return RecordedBundle(event, epoch, entry.position)
            case _:
                pass
    return None


def _entries(log: EventLog, cursor: Cursors, streams: Sequence[str]) -> list[Entry]:
    """Return the entries of streams; one that cannot be read does not hide the rest."""
    return log.without_words(log.stored_histories(cursor, streams)).entries


def bundle_link_to(bundle: RecordedBundle) -> BundleLink:
    """Return the link by which the person who was sent a bundle takes its pages.

    ValueError for one that was sent to the channel of a team.
    """
    event = bundle.event
    if event.person is None:
        raise ValueError(f"{event.bundle} was not sent to a person")
    until = event.at + PAGE_LINK_VALID
    return BundleLink(event.bundle, event.person, until, bundle.epoch)


def read_bundle_link(keys: Sequence[bytes], token: str, now: datetime) -> BundleLink:
    """Return the content of a link that is valid at `now`. Raises `HttpError` 404."""
    link = read_bundle_token(keys, token)
    if link is None:
        raise HttpError(
            404,
            "this link is not complete: open it from the message again",
            code="unknown_link",
        )
    if link.until <= now:
        raise HttpError(
            404,
            "this link has expired: open the incidents at the service desk",
            code="expired_link",
        )
    return link


def bundle_behind(
    log: EventLog, cursor: Cursors, link: BundleLink
) -> NotificationBundled:
    """Return the bundle of a link. Raises `HttpError` 404 if it is void.

    That is so as well once the person was removed.
    """
    found = bundle_named(log, cursor, link.bundle)
    if (
        found is None
        or (found.epoch, found.event.person) != (link.epoch, link.person)
        or is_removed(cursor, link.person)
    ):
        raise HttpError(404, "this link is no longer valid", code="unknown_link")
    return found.event


def pages_in(
    log: EventLog, cursor: Cursors, bundle: NotificationBundled
) -> Sequence[PageLink]:
    """Return the pages of a bundle, as the person who was sent it answers them.

    An incident is in it once, although it may have been paged for twice. The links
    expire with that of the bundle.
    """
    streams = sorted({escalation_stream(each.incident) for each in bundle.members})
    past: dict[str, list[Entry]] = {stream: [] for stream in streams}
    for entry in _entries(log, cursor, streams):
        past[entry.stream].append(entry)
    epochs = read_epochs(cursor)
    found: dict[str, PageLink] = {}
    for each in bundle.members:
        history = past[escalation_stream(each.incident)]
        link = _page(history, each.key, bundle.person, epochs)
        if link is not None:
            found[each.incident] = link._replace(until=bundle.at + PAGE_LINK_VALID)
    return tuple(found.values())


def _page(
    history: Sequence[Entry], key: str, person: str | None, epochs: Epochs
) -> PageLink | None:
    for entry in history:
        match entry.event:
            case NotificationRequested(key=named) as request if named == key:
                return page_of(request, history, epochs, person)
            case _:
                pass
    return None


def page_of(
    request: NotificationRequested,
    history: Sequence[Entry],
    epochs: Epochs,
    person: str | None,
) -> PageLink | None:
    """Return the page that a message is about, as `person` answers it."""
    caused = (request.cause_stream, request.cause_version)
    for each in history:
        if (each.stream, each.version) != caused:
            continue
        page = each.event
        if isinstance(page, EscalationPaged) and person in page.people:
            return link_to(page, person, epochs.of(each.position).label)
    return None
