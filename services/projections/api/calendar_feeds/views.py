"""The calendar of a link: what was recorded, and from now on what will be.

Who was on call is read from the history; who will be is computed, as everywhere.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from services.projections.api.desk import Desk
from services.projections.calendar_feeds import store
from services.projections.calendar_feeds.rules import (
    AHEAD,
    BACK,
    Edition,
    Entry,
    Head,
    entries_ahead,
    written,
)
from services.projections.calendar_feeds.store import Feed
from services.projections.log_queries import newest_row, policy_in_force
from services.projections.snapshots import snapshot
from shared.database.cursors import Cursors
from shared.directory import names, person
from shared.domain.events.administration import STREAM as POLICY
from shared.domain.identifiers import absences_stream, on_call_stream
from shared.i18n.catalog import Language, text_of
from shared.i18n.formats import language_of
from shared.on_call_changes import absences_of_person, rosters_of
from shared.on_call_history import TooMany, periods
from shared.security.rights import is_removed, rights_of
from shared.security.sender import READERS

HANDOVERS_MAX = 2_000
"""Of one schedule in the days before; beyond it the calendar has none of these."""
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def calendar_of(desk: Desk, secret: str, liked: Language) -> bytes | None:
    """Return the calendar of a link, None if the link is unknown, revoked or void."""
    at = desk.clock()
    with snapshot(desk.log) as cursor:
        feed = store.find(cursor, secret)
        if feed is None or not _may_read(cursor, feed.person, at):
            return None
        reader = person(cursor, feed.person)
        language = language_of(reader.language if reader else None, liked)
        entries = [*_entries(desk, cursor, feed, at)]
        schedules = {each.schedule for each in entries if each.schedule}
        editions = _editions(cursor, feed.person, schedules)
        people = {each for entry in entries for each in entry.people}
        shown = names(cursor, people)
    title = text_of(language, "page.calendar", "title")
    head = Head(
        f"{title} {feed.schedule}" if feed.schedule else title,
        language,
        desk.public_url.rstrip("/"),
        shown if feed.schedule else None,
    )
    return written(head, entries, editions)


def _may_read(cursor: Cursors, person: str, at: datetime) -> bool:
    """Return whether a person could read the same at the desk."""
    rights = rights_of(cursor, person, at)
    return not is_removed(cursor, person) and any(role in READERS for role, _ in rights)


def _entries(desk: Desk, cursor: Cursors, feed: Feed, at: datetime) -> Iterator[Entry]:
    policy = policy_in_force(desk.log, cursor)
    rosters = rosters_of(cursor, policy, since=at) if policy else {}
    whose = None if feed.schedule else feed.person
    for schedule, roster in rosters.items():
        if feed.schedule in (None, schedule):
            yield from _recorded(cursor, schedule, at, whose)
            yield from entries_ahead(schedule, roster, at, whose)
    if feed.schedule is None:
        yield from _absences(cursor, feed.person, at)


def _recorded(
    cursor: Cursors, schedule: str, at: datetime, whose: str | None
) -> Iterator[Entry]:
    """Yield the shifts that are over."""
    try:
        found = periods(cursor, schedule, at - BACK, at, HANDOVERS_MAX)
    except TooMany:
        return
    for each in found:
        is_meant = each.people and (whose is None or whose in each.people)
        if is_meant and each.ends is not None and each.ends <= at:
            yield Entry(each.begins, each.ends, schedule, each.role, each.people)


def _absences(cursor: Cursors, whose: str, at: datetime) -> Iterator[Entry]:
    """Yield the absences of the person whose calendar it is."""
    for each in absences_of_person(cursor, whose).values():
        if (
            each.start < each.until
            and at - BACK < each.until
            and each.start < at + AHEAD
        ):
            yield Entry(each.start, each.until, None)


def _editions(
    cursor: Cursors, person: str, schedules: Iterable[str]
) -> Mapping[str | None, Edition]:
    """Return what is known of each schedule, and for None of the person's absences."""
    streams: dict[str | None, str] = {name: on_call_stream(name) for name in schedules}
    streams[None] = absences_stream(person)
    policy = newest_row(cursor, POLICY)
    found: dict[str | None, Edition] = {}
    for name, stream in streams.items():
        rows = [row for row in (newest_row(cursor, stream), policy) if row]
        at = max((row.recorded_at for row in rows), default=_EARLIEST)
        found[name] = Edition(sum(row.version for row in rows), at)
    return found
