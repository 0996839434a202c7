"""The names our Opsgenie Alert API gives, each holding what it is the name of.

An alert's id holds its alias, a request's id what was asked: they can be used as long
as anybody keeps them, and nothing has to be stored.
"""

import base64
from typing import NamedTuple

import orjson

_ALERT = "alert-"


class Asked(NamedTuple):
    """What a request asked: for what, of which alert, and the event id it went by."""

    action: str
    event_id: str
    alias: str


def alert_id(alias: str) -> str:
    """Return the id of the alert with this alias."""
    return _ALERT + _coded(alias.encode())


def alias_of(given: str) -> str | None:
    """Return the alias of the alert with this id, None where it is no id of ours."""
    if not given.startswith(_ALERT):
        return None
    try:
        return _decoded(given.removeprefix(_ALERT)).decode()
    except ValueError:
        return None


def request_id(asked: Asked) -> str:
    """Return the id of a request."""
    return _coded(orjson.dumps(list(asked)))


def asked_in(given: str) -> Asked | None:
    """Return what the request with this id asked, None where it is no id of ours."""
    try:
        match orjson.loads(_decoded(given)):
            case [str(action), str(event_id), str(alias)]:
                return Asked(action, event_id, alias)
            case _:
                return None
    except ValueError:
        return None


def _coded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)
