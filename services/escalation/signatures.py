"""What makes two incidents of one kind, for whoever looks for a cause. Pure."""

import re
from hashlib import sha256

from shared.domain.events.event import FORGOTTEN
from shared.domain.events.incident import IncidentOpened

_VARIES = re.compile(r"\S*\d\S*")
"""A word with a digit: how full, which host, at what time."""


def signature_of(event: IncidentOpened) -> bytes | None:
    """Return the signature of an incident; None where nothing is like it.

    What monitoring opened is alike where source, service and the words of the title
    are, whatever numbers stand among them. What people report is alike where they were
    given the same service and category: of their words no machine judges.
    """
    if event.origin == "monitoring" and event.title != FORGOTTEN:
        words = " ".join(_VARIES.sub("", event.title.casefold()).split())
        parts = ["signal", event.source or "", event.service, words]
    elif event.category is not None:
        parts = ["category", event.service, event.category]
    else:
        return None
    return sha256("\0".join(parts).encode()).digest()
