"""Ends links to sign in that were mailed to an address that is no longer theirs."""

from datetime import datetime

from shared.database.cursors import Cursors
from shared.security.sign_in_links import LinkMethod, revoke_links

_MAILED: tuple[LinkMethod, ...] = ("invitation", "mail")


def end_mailed_links(cursor: Cursors, person: str, at: datetime) -> None:
    """End the links that were mailed to a person, whose address is another one now."""
    revoke_links(cursor, at, _MAILED, actor=f"person:{person}")
