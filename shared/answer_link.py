"""Links by which users answer a question of ours without an account, signed by us.

Who holds one may answer as the person it was sent to, about that one question, until it
expires. What was answered cannot be answered otherwise: a link is good for one answer.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from shared.domain.identifiers import is_extension_ref
from shared.domain.policy.clause import PERSON

PURPOSE = "answer links"
TOKEN_MAX = 512
_SIGNATURE_BYTES = 24
_BETWEEN = "|"


class AnswerLink(NamedTuple):
    """What a link is for: which longer delay is answered, by whom, until when."""

    extension: str
    person: str
    until: datetime


def token_of(key: bytes, link: AnswerLink) -> str:
    """Return what stands in the address."""
    until = str(int(link.until.timestamp()))
    told = _BETWEEN.join((link.extension, link.person, until)).encode()
    return _text(told + _signature(key, told))


def read_token(keys: Iterable[bytes], token: str) -> AnswerLink | None:
    """Return what a link is for, None if we signed it with none of these keys."""
    raw = _bytes(token)
    told, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
    ours = [hmac.compare_digest(signature, _signature(key, told)) for key in keys]
    if not any(ours):
        return None
    extension, person, until = told.decode().split(_BETWEEN)
    if not is_extension_ref(extension) or re.fullmatch(PERSON, person) is None:
        return None
    return AnswerLink(extension, person, datetime.fromtimestamp(int(until), UTC))


def _signature(key: bytes, told: bytes) -> bytes:
    return hmac.digest(key, told, sha256)[:_SIGNATURE_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(token: str) -> bytes:
    """Return the bytes of a token; nothing if it is malformed."""
    if len(token) > TOKEN_MAX or re.fullmatch(r"[A-Za-z0-9_-]+", token) is None:
        return b""
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (ValueError, binascii.Error):
        return b""
