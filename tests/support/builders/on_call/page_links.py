"""Links of pages, signed by a desk without waiting for its mail."""

from datetime import datetime

from shared.eventlog.log import EventLog
from shared.security.signed_links import PAGE_LINKS_PURPOSE, PageLink, token_of


def page_link_to(
    log: EventLog, page: str, person: str, until: datetime, epoch: str = ""
) -> str:
    """Return the token of a person's link to a page; closes `log`."""
    key = log.vault.key_for(PAGE_LINKS_PURPOSE)
    log.close()
    assert key is not None
    return token_of(key, PageLink(page, person, until, epoch))
