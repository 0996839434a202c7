"""An incident for which the members of the starter's second level are paged."""

from datetime import UTC, datetime, timedelta

from shared.domain.events import EscalationPaged
from shared.domain.identifiers import escalation_stream
from shared.security.access import create
from shared.security.signed_links import PAGE_LINKS_PURPOSE, PageLink, token_of
from tests.e2e.browser.shown.commands import commanded
from tests.support.desks.running import Desk
from tests.support.patience import until

EXPERT = "expert"
"""The only member of that level; may work on incidents once this was used."""


def paged(desk: Desk, title: str) -> str:
    """Return the end of the address in the page about a new incident."""
    ref = commanded(desk, "", title=title, service="mail", impact="low")
    commanded(desk, f"/{ref}/escalate", reason="They know the server")
    pages: list[EscalationPaged] = []
    log = desk.log()

    def is_paged() -> bool:
        with log.transaction() as cursor:
            entries = log.histories(cursor, [escalation_stream(ref)])
        found = (entry.event for entry in entries)
        pages[:] = [each for each in found if isinstance(each, EscalationPaged)]
        return bool(pages)

    try:
        until(is_paged, f"a page about {ref}")
        now = datetime.now(UTC)
        with log.transaction() as cursor:
            create(cursor, now, f"person:{EXPERT}", ["agent"])
        key = log.vault.key_for(PAGE_LINKS_PURPOSE)
        assert key is not None
        link = PageLink(pages[0].key, EXPERT, now + timedelta(hours=1))
        return token_of(key, link)
    finally:
        log.close()
