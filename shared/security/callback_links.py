"""Signed links at which a provider reports the result of a message.

Each message has a link of its own. Its holder may say that this message was delivered
or failed, or that its receiver answered it; the provider's signature is checked too.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import orjson

from shared.domain.events import (
    NotificationBundled,
    NotificationRequested,
    PageTestMessage,
    PageTestPlanned,
)
from shared.domain.identifiers import is_incident_ref, is_page_test_ref
from shared.domain.policy.clause import PERSON
from shared.eventlog.entry import Entry
from shared.eventlog.epochs import Epochs

PURPOSE = "callback links"
"""The purpose of the key that signs these links."""
CALLBACK_VALID = timedelta(days=2)
"""How long a provider may report, counted from the request of the message."""
TOKEN_MAX = 1_024
_SIGNATURE_BYTES = 24
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")


class CallbackLink(NamedTuple):
    """A message: its incident, its key, its receiver, and the expiry."""

    incident: str
    """Or the page test that the message belongs to."""
    key: str
    """As outside the desk, so with the epoch: see `Epochs.key`."""
    person: str
    until: datetime


def callback_token(key: bytes, link: CallbackLink) -> str:
    """Return the token for the address of a link."""
    until = int(link.until.timestamp())
    told = orjson.dumps([link.incident, link.key, link.person, until])
    signed = told + _signature(key, told)
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


def read_callback_token(
    keys: Iterable[bytes], token: str, now: datetime
) -> CallbackLink | None:
    """Return a link's content, None if it expired or none of these keys signed it."""
    raw = _bytes(token)
    told, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
    ours = [hmac.compare_digest(signature, _signature(key, told)) for key in keys]
    if not any(ours):
        return None
    incident, key, person, until = orjson.loads(told)
    is_about = is_incident_ref(incident) or is_page_test_ref(incident)
    if not is_about or re.fullmatch(PERSON, person) is None:
        return None
    link = CallbackLink(incident, key, person, datetime.fromtimestamp(until, UTC))
    return link if link.until > now else None


def requested(
    history: Iterable[Entry], epochs: Epochs, key: str
) -> NotificationRequested | None:
    """Return the request of a message with the key of a link, None without one.

    `history` is the escalation of its incident. After a restore another message may
    have the same key in the log.
    """
    return next(
        (
            each.event
            for each in history
            if isinstance(each.event, NotificationRequested)
            and epochs.key(each.event.key, each.position) == key
        ),
        None,
    )


def planned_message(
    history: Iterable[Entry], epochs: Epochs, key: str
) -> tuple[PageTestPlanned, PageTestMessage] | None:
    """Return the message of a page test with the key of a link, and its plan.

    `history` has the messages of tests of the person.
    """
    return next(
        (
            (entry.event, each)
            for entry in history
            if isinstance(entry.event, PageTestPlanned)
            for each in entry.event.messages
            if epochs.key(each.key, entry.position) == key
        ),
        None,
    )


def bundled(
    history: Iterable[Entry], epochs: Epochs, key: str
) -> NotificationBundled | None:
    """Return the bundle of pages that left under the key of a link, None without one.

    `history` is the escalation of the incident that recorded it.
    """
    return next(
        (
            each.event
            for each in history
            if isinstance(each.event, NotificationBundled)
            and epochs.key(each.event.bundle, each.position) == key
        ),
        None,
    )


def _signature(key: bytes, told: bytes) -> bytes:
    return hmac.digest(key, told, sha256)[:_SIGNATURE_BYTES]


def _bytes(token: str) -> bytes:
    """Return the bytes of a token; empty if it is malformed."""
    if len(token) > TOKEN_MAX or _TOKEN.fullmatch(token) is None:
        return b""
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (ValueError, binascii.Error):
        return b""
