"""Recognises a report of the form that is sent again: same key and same words.

A key that comes with something else is refused: otherwise the new words would be lost.
The language is not compared: the same report may come from the form in another one.
"""

from hashlib import sha256
from http import HTTPStatus

import orjson

from services.intake.inbound_mail.message import InboundMail
from services.intake.inbound_mail.store import lying, read_lying
from shared.contacts.form import KEY_REUSED
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError


def digest_of_report(letter: InboundMail) -> bytes:
    """Return a digest of what is reported, to detect a key that is used again."""
    return sha256(orjson.dumps([letter.words, letter.service])).digest()


def is_recorded_as(letter: InboundMail, digest: bytes) -> bool:
    """Return whether the command with this digest may be of this report.

    Earlier versions recorded the key alone.
    """
    return digest in (digest_of_report(letter), letter.key.bytes)


def require_stored_as(log: EventLog, letter: InboundMail) -> None:
    """Raise `HttpError` 422 unless what is stored with this key is this report.

    What was forgotten with its writer cannot be compared, so it is refused too. Blocks.
    """
    with log.transaction() as cursor:
        found = lying(cursor, letter.key)
    held = read_lying(log.vault, letter.key, found, None) if found else None
    if held is None or digest_of_report(held) != digest_of_report(letter):
        raise key_reused()


def key_reused() -> HttpError:
    """Return the answer to a key that was used before for another report."""
    return HttpError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "this `key` was used for another report, so nothing was taken: send this one "
        "as a new report, with another `key`",
        code=KEY_REUSED,
    )
