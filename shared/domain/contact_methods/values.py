"""What the value of a contact method looks like, by its kind. Pure.

Intake refuses another value when it is added; a channel sends nothing to one.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from shared.domain.bounded_text import MAIL_ADDRESS
from shared.domain.events.contact_method import ContactKind

NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
"""A telephone number as E.164 writes it."""
TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")
"""A topic of ntfy."""
ROOM = re.compile(r"![^\s:]{1,200}(:[^\s]{1,50})?")
"""A room of Matrix."""
MEMBER = re.compile(r"[UWDCG][A-Z0-9]{2,20}")
"""A member, or a conversation, of Slack."""
USER_NAME = re.compile(r"@?([a-z0-9._-]{1,64})", re.IGNORECASE)
"""The name of a user of Mattermost."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}")
_POINT_BYTES, _SECRET_BYTES = 65, 16
"""The public key and the secret of a browser (RFC 8291)."""


def is_value(kind: ContactKind, value: str) -> bool:
    """Return whether a text can be the value of a contact method of a kind."""
    return bool(_CHECKS[kind](value))


def _is_url(value: str) -> bool:
    scheme, separator, rest = value.partition("://")
    is_whole = bool(separator and rest) and not re.search(r"\s", value)
    return is_whole and _SCHEME.fullmatch(scheme) is not None


def _is_subscription(value: str) -> bool:
    try:
        written = json.loads(value)
    except (ValueError, RecursionError):
        return False
    match written:
        case {
            "endpoint": str(endpoint),
            "keys": {"p256dh": str(point), "auth": str(secret)},
        }:
            lengths = (_bytes_in(point), _bytes_in(secret))
            return _is_https(endpoint) and lengths == (_POINT_BYTES, _SECRET_BYTES)
        case _:
            return False


def push_service(subscription: str) -> str:
    """Return the host that the valid subscription of a browser leads to."""
    return urlsplit(json.loads(subscription)["endpoint"]).hostname or ""


def _is_https(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        host = (parts.hostname or "").encode("idna")
    except ValueError:  # also of a host that the DNS cannot have, such as `a..b`
        return False
    return parts.scheme == "https" and bool(host)


def _bytes_in(written: str) -> int:
    """Return how many bytes a text in base64url has; 0 for another text."""
    try:
        padded = written + "=" * (-len(written) % 4)
        return len(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return 0


_CHECKS: Mapping[ContactKind, Callable[[str], object]] = {
    "mail": re.compile(MAIL_ADDRESS).fullmatch,
    "sms": NUMBER.fullmatch,
    "voice": NUMBER.fullmatch,
    "ntfy": TOPIC.fullmatch,
    "matrix": ROOM.fullmatch,
    "slack": MEMBER.fullmatch,
    "mattermost": USER_NAME.fullmatch,
    "apprise": _is_url,
    "web_push": _is_subscription,
}
