"""Makes the requests of notifications, each under a key that a repeat has, too."""

import uuid
from datetime import datetime
from typing import NamedTuple

from services.escalation.rules.case import Case, PendingNotice
from services.escalation.rules.context import on
from shared.domain.events.contact_method import DIRECTORY_MAIL
from shared.domain.events.notification import Channel, Kind, NotificationRequested

NAMESPACE = uuid.UUID("0d7f6a52-3c1b-4f0e-8a63-5b7f0e9d2c41")
"""Namespace of keys: a repeat of a notification to a person has the same key."""
CALLS: frozenset[Kind] = frozenset(
    {
        *("page", "manager", "handover", "service_handover", "routed"),
        *("unreachable", "nobody_notified"),
    }
)
"""Kinds that are sent to the receiver of pages as well, and by the rules of people."""
STAFF: frozenset[Kind] = CALLS | {
    *("suggestion", "update_due", "reminder", "taken_by_colleague")
}


class Way(NamedTuple):
    """Over which method a message goes; `number` counts those over it, from 1."""

    method: str
    channel: Channel
    number: int = 1


BY_MAIL = Way(DIRECTORY_MAIL, "mail")
"""To the address in the directory."""


def key_of(notice: PendingNotice, person: str | None, way: Way) -> str:
    """Return the key of one notification.

    That of the first message to an address in the directory does not name the method:
    such messages had keys before there were methods. The channel of a team has its name
    there.
    """
    cause = (notice.stream, str(notice.version))
    parts = [*cause, person or "", way.channel, notice.kind]
    if (way.method, way.number) != (DIRECTORY_MAIL, 1):
        parts += [way.method, str(way.number)]
    return str(uuid.uuid5(NAMESPACE, "|".join(parts)))


def request_of(
    case: Case,
    notice: PendingNotice,
    at: datetime,
    person: str | None,
    way: Way = BY_MAIL,
) -> NotificationRequested:
    """Return the request of a message to a person, or to a channel of all or a team."""
    if person is None:
        to = notice.team_channel or DIRECTORY_MAIL
        way = Way(to, notice.channel or "webhook")
    common = on(case, at)
    if notice.policy is not None:
        common["policy"] = notice.policy
    return NotificationRequested(
        **common,
        key=key_of(notice, person, way),
        kind=notice.kind,
        audience="staff" if notice.kind in STAFF else "user",
        channel=way.channel,
        person=person,
        method=way.method if person and way.method != DIRECTORY_MAIL else None,
        team_channel=notice.team_channel,
        cause_stream=notice.stream,
        cause_version=notice.version,
    )
