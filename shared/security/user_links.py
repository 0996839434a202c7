"""Verifies the links by which users follow their incident and act on it.

A link is bound to one incident and one of its reporters. It leads on if the incident is
merged, and is void once the directory has no address of the person: they were removed,
or asked to be forgotten. The API and the owners of streams check the same.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.database.cursors import Cursors
from shared.directory import has_address
from shared.domain.commands.incident import Attach, Close, Relapse, Reopen
from shared.domain.commands.sla import AcceptExtension, RefuseExtension
from shared.domain.events import is_incident_event
from shared.domain.identifiers import extended_incident, incident_stream
from shared.domain.incident import Incident, replay
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage
from shared.security.rights import is_removed
from shared.security.signed_links import UserLink, read_user_token

MERGES_MAX = 20
"""How many merges, one into the next, a link follows."""


def read_link(keys: Sequence[bytes], token: str, now: datetime) -> UserLink:
    """Return the content of a link that is valid at `now`. Raises `HttpError` 404."""
    link = read_user_token(keys, token)
    if link is None:
        raise _void("this link is not complete: open it from the message again")
    if link.until <= now:
        raise HttpError(
            404,
            "this link has expired: answer the message, or call the desk",
            code="expired_link",
        )
    return link


def followed(log: EventLog, cursor: Cursors, link: UserLink) -> Incident:
    """Return the incident to which a link leads today. Raises `HttpError` 404.

    That is the one in the link, or the one into which it was merged; in either the
    person must be among those who reported it.
    """
    if not has_address(cursor, link.person) or is_removed(cursor, link.person):
        raise _void("this link is no longer valid")
    ref = link.incident
    for _ in range(MERGES_MAX):
        entries = log.histories(cursor, [incident_stream(ref)])
        incident = replay(e.event for e in entries if is_incident_event(e.event))
        if incident is None:
            break
        if incident.merged_into is None:
            if link.person in incident.reporters:
                return incident
            break
        ref = incident.merged_into
    raise _void("this link leads to nothing any more")


def allows(link: UserLink, ref: str, message: CommandMessage[Any]) -> bool:
    """Return whether a link to the incident `ref` may send a command.

    Users add their own words, agree or not to a longer delay, and say whether it is
    solved; each command exactly as the page sends it.
    """
    body, about = message.body, message.incident == ref
    match body:
        case Attach(words=str(words)):
            return about and body == Attach(
                person=link.person, channel="web", words=words
            )
        case Close():
            return about and body == Close()
        case Reopen():
            return about and body == Reopen(cause="user")
        case Relapse():
            return about and body == Relapse()
        case AcceptExtension() | RefuseExtension():
            record = message.record or ""
            ours = record != "" and extended_incident(record) == ref
            return about and ours and body == type(body)(channel="web")
        case _:
            return False


def _void(why: str) -> HttpError:
    return HttpError(404, why, code="unknown_link")
