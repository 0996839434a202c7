"""Links of users, signed by a desk without waiting for its mail."""

from datetime import datetime

from shared.eventlog.log import EventLog
from shared.security.signed_links import USER_LINKS_PURPOSE, UserLink, token_of


def link_to(log: EventLog, ref: str, person: str, until: datetime) -> str:
    """Return the token of a person's link to an incident; closes `log`."""
    key = log.vault.key_for(USER_LINKS_PURPOSE)
    log.close()
    assert key is not None
    return token_of(key, UserLink(ref, person, until))
