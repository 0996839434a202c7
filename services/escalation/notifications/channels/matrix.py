"""Messages in a room of Matrix, by an account of the desk.

The transaction id is derived from the key, so a homeserver keeps one message however
often it is sent. `to` is the id of a room that the account has joined.

https://spec.matrix.org/v1.11/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from html import escape
from typing import Any, ClassVar
from urllib.parse import quote

import httpx

from services.escalation.notifications.channels.channel import (
    ChannelContext,
    ChannelTraits,
    contact_of,
)
from services.escalation.notifications.channels.http_call import (
    Answer,
    deliver,
    outcome,
)
from services.escalation.notifications.channels.parcel import Parcel, ToContact
from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome
from shared.domain.contact_methods.values import ROOM
from shared.domain.events.notification import Channel as ChannelName

MISSING = "Matrix is not set: set PERMANENCE_MATRIX_URL and PERMANENCE_MATRIX_TOKEN"
NO_ROOM = "the address is not a room of Matrix: write its id, as !abc:example.org"
_TRANSACTION_DIGITS = 40


@dataclass(frozen=True)
class Matrix:
    """An account at a homeserver."""

    name: ClassVar[ChannelName] = "matrix"
    traits: ClassVar = ChannelTraits(length_max=8_000)

    client: httpx.AsyncClient
    url: str = ""
    token: str = field(default="", repr=False)

    @property
    def missing(self) -> str | None:
        """The settings that it lacks."""
        return None if self.url else MISSING

    async def send(self, parcel: Parcel, at: datetime) -> Outcome:
        """Write into a room once."""
        contact = contact_of(parcel)
        if ROOM.fullmatch(contact.to) is None:
            return Failed(NO_ROOM, permanent=True)
        transaction = sha256(contact.key.encode()).hexdigest()[:_TRANSACTION_DIGITS]
        room = quote(contact.to, safe="")
        request = self.client.build_request(
            "PUT",
            f"{self.url}/_matrix/client/v3/rooms/{room}/send/m.room.message/{transaction}",
            json=_content(contact),
            headers={"authorization": f"Bearer {self.token}"},
        )
        return await deliver(self.client, request, at, _read)


def matrix_channel(context: ChannelContext) -> Matrix:
    """Return the channel as the settings configure it."""
    settings = context.settings
    url, token = settings.matrix_url, settings.matrix_token
    return Matrix(
        context.client,
        url.get_secret_value().rstrip("/") if url else "",
        token.get_secret_value() if token else "",
    )


def _read(answer: Answer, at: datetime) -> Outcome:
    found = outcome(answer, at, id_="event_id", code="errcode")
    waits = answer.body.get("retry_after_ms")
    # Homeservers before v1.10 say it here, and not in `Retry-After`.
    if isinstance(found, Delivered) or not isinstance(waits, int):
        return found
    if found.permanent or found.retry_after:
        return found
    seconds = min(max(waits, 0), 3_600_000) / 1_000
    return replace(found, retry_after=timedelta(seconds=seconds))


def _content(contact: ToContact) -> dict[str, Any]:
    """Return a text message; a page mentions the room, which makes phones ring.

    Of a notice, which is what bots write, nobody is notified.
    """
    message = contact.message
    links = [
        (label, url)
        for label, url in (
            (message.accept_label, message.accept_url),
            (message.open_label, message.url),
        )
        if url
    ]
    plain = [message.line, *(f"{label}: {url}" for label, url in links)]
    shown = [f"<strong>{escape(message.line)}</strong>"]
    shown += [f'<a href="{escape(url)}">{escape(label)}</a>' for label, url in links]
    return {
        "msgtype": "m.notice" if message.is_silent else "m.text",
        "body": "\n".join(plain),
        "format": "org.matrix.custom.html",
        "formatted_body": "<br>".join(shown),
        "m.mentions": {"room": True} if message.urgent else {},
    }
