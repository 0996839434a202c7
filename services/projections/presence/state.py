"""Who has which incident open now, as the pages say that are open.

A page reports its visit every few seconds; a visit that is not reported again expires.
Instants are arguments, of any clock that only goes forward.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from shared.domain.identifiers import IncidentRef

_Key = TypeVar("_Key")
_Held = TypeVar("_Held")
EXPIRES_SECONDS = 35.0
"""How long a visit counts after it was reported: one report may be lost or late."""
TABS_MAX = 5
"""How many pages of one session may have the same incident open, and count."""
PAGES_MAX = 30
"""How many pages of one session count, whatever they show."""
VISITS_MAX = 20_000
"""How many visits are kept, of everybody."""
PRESENT_MAX = 20
"""How many people are named at one incident."""


class PageId(NamedTuple):
    """A page that is open: the session that opened it, and its id within that."""

    session: str
    tab: str


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody has an incident open in a page; `form` is the one they write in."""

    incident: IncidentRef
    page: PageId
    person: str
    form: str | None = None
    number: int | None = None
    """Which report of its page it is, if pages count them: they may arrive in another
    order, and the end before a report that was under way."""


class Present(NamedTuple):
    """A person who has an incident open, and the form they write in, if any."""

    person: str
    form: str | None


class TooManyPages(Exception):
    """More pages are open than are counted, of one session or of everybody."""


class Presence:
    """The visits that were reported lately, to any process of projections."""

    def __init__(self) -> None:
        self._visits: dict[PageId, tuple[Visit, float]] = {}
        self._pages: defaultdict[IncidentRef, set[PageId]] = defaultdict(set)
        self._of_session: defaultdict[str, set[PageId]] = defaultdict(set)
        self._ended: dict[PageId, tuple[int, float]] = {}
        """The number of the report by which a page ended, and how long it is kept."""
        self._bells: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        """By incident, or by the session whose pages they are about."""

    def report(self, visit: Visit, now: float) -> None:
        """Keep a visit until it expires; ignore a late one. Raises `TooManyPages`."""
        if self._is_late(visit):
            return
        before = self._visits.get(visit.page)
        if before is not None and before[0].incident != visit.incident:
            self._forget(visit.page)
            before = None
        if before is None:
            self._require_room(visit)
        self._visits[visit.page] = (visit, now + EXPIRES_SECONDS)
        self._pages[visit.incident].add(visit.page)
        self._of_session[visit.page.session].add(visit.page)
        if before is None or before[0].form != visit.form:
            self._ring(visit.incident)

    def end(self, visit: Visit, now: float) -> None:
        """Forget a page that was closed or hidden, also for reports still under way."""
        if self._is_late(visit):
            return
        if visit.number is not None:
            self._ended.pop(visit.page, None)
            if len(self._ended) >= VISITS_MAX:
                del self._ended[next(iter(self._ended))]  # the oldest
            self._ended[visit.page] = (visit.number, now + EXPIRES_SECONDS)
        self._forget(visit.page)

    def _is_late(self, visit: Visit) -> bool:
        """Tell whether a later report of the page is known."""
        if visit.number is None:
            return False
        held = self._visits.get(visit.page)
        known = held[0].number if held else None
        ended, _ = self._ended.get(visit.page, (None, 0.0))
        return any(
            number is not None and number >= visit.number for number in (known, ended)
        )

    def _forget(self, page: PageId) -> None:
        held = self._visits.pop(page, None)
        if held is None:
            return
        incident = held[0].incident
        _drop(self._pages, incident, page)
        _drop(self._of_session, page.session, page)
        self._ring(incident)

    def expire(self, now: float) -> None:
        """Forget the pages that were silent for too long."""
        for page in [p for p, (_, until) in self._visits.items() if until <= now]:
            self._forget(page)
        for page in [p for p, (_, until) in self._ended.items() if until <= now]:
            del self._ended[page]

    def others(self, incident: IncidentRef, person: str | None) -> Sequence[Present]:
        """Return the other people at an incident, by id: nobody comes first.

        Somebody with several pages is there once, with the form that they write in.
        """
        found: dict[str, str | None] = {}
        for page in sorted(self._pages.get(incident, ())):
            visit, _ = self._visits[page]
            if visit.person != person:
                found[visit.person] = visit.form or found.get(visit.person)
        return tuple(Present(*each) for each in sorted(found.items()))[:PRESENT_MAX]

    def opened_by(self, session: str) -> Sequence[IncidentRef]:
        """Return the incidents that pages of a session have open."""
        pages = self._of_session.get(session, ())
        return sorted({self._visits[page][0].incident for page in pages})

    @contextmanager
    def watching(self, key: str) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever visits have changed.

        `key` is an incident; or a session: then it is about the incidents that pages of
        the session have open.
        """
        bell = asyncio.Event()
        if self._pages.get(key) or self._of_session.get(key):
            bell.set()
        self._bells[key].add(bell)
        try:
            yield bell
        finally:
            _drop(self._bells, key, bell)

    def _require_room(self, visit: Visit) -> None:
        at_the_same = self._pages.get(visit.incident, set())
        of_session = self._of_session.get(visit.page.session, set())
        if (
            len(of_session & at_the_same) >= TABS_MAX
            or len(of_session) >= PAGES_MAX
            or len(self._visits) >= VISITS_MAX
        ):
            raise TooManyPages

    def _ring(self, incident: IncidentRef) -> None:
        sessions = {page.session for page in self._pages.get(incident, ())}
        for key in (incident, *sessions):
            for bell in self._bells.get(key, ()):
                bell.set()


def _drop(held: defaultdict[_Key, set[_Held]], key: _Key, one: _Held) -> None:
    held[key].discard(one)
    if not held[key]:
        del held[key]
