"""How each format of senders is told to come again: most know 429, some only 5xx."""

from collections.abc import Mapping
from http import HTTPStatus

COME_AGAIN: Mapping[str, int] = {
    # Its webhook notifier gives up on any 4xx, and tries again after a 5xx.
    "alertmanager": HTTPStatus.SERVICE_UNAVAILABLE,
}
"""By adapter; all others hear 429."""


def come_again(adapter: object) -> int:
    """Return the status for a sender of that format who is to come again."""
    return COME_AGAIN.get(str(adapter), HTTPStatus.TOO_MANY_REQUESTS)
