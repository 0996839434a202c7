"""E-mail addresses and telephone numbers: not for what is kept for ever."""

import re

_EMAIL = re.compile(r"[^\s@<>,;:]+@[^\s@<>,;:]+\.[A-Za-z]{2,}")
_PHONE = re.compile(
    r"(?<![\w-])(?:"
    r"(?:\+|00)[1-9](?:[ .()-]{0,2}\d){6,13}"  # international: +33 1 23 45 67 89
    r"|0\d(?:[ .-]?\d{2}){4}"  # French: 01 23 45 67 89
    r"|\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}"  # North American: (514) 555-0123
    r")(?!\w)"
)


def contact_detail_in(text: str) -> str | None:
    """Return what kind of contact detail stands in `text`, or None."""
    if _EMAIL.search(text):
        return "an e-mail address"
    return "a telephone number" if _PHONE.search(text) else None
