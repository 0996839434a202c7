"""Messages in Mattermost, by a bot or else by an incoming webhook.

They go to people, or to the channel of a team that the bot is a member of. A bot finds
a person by their user name and writes to them. Mattermost creates no second post with
the same `pending_post_id` within minutes, so a repeat after a crash is one message. An
incoming webhook can only write to people: it has no button, and repeats show.

https://developers.mattermost.com/api-documentation/
https://developers.mattermost.com/integrate/plugins/interactive-messages/
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
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
    call,
    deliver,
    failure,
    outcome,
)
from services.escalation.notifications.channels.parcel import Parcel, ToContact
from services.escalation.notifications.channels.retry import Failed, Outcome
from shared.domain.contact_methods.values import USER_NAME
from shared.domain.events.notification import Channel as ChannelName

MISSING = (
    "Mattermost is not set: set PERMANENCE_MATTERMOST_URL and "
    "PERMANENCE_MATTERMOST_TOKEN, or PERMANENCE_MATTERMOST_WEBHOOK_URL"
)
NO_NAME = "the address is not a user name of Mattermost: write @name"
NO_BOT = (
    "only a bot writes to channels of teams: set PERMANENCE_MATTERMOST_URL and "
    "PERMANENCE_MATTERMOST_TOKEN"
)
_KEY_DIGITS = 40
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~<>@:-])")
_NO_MENTION = "@\u200b"
"""An `@` that mentions nobody: Mattermost looks for mentions in the text without its
escapes, and a space without width ends the name."""


@dataclass(frozen=True)
class Mattermost:
    """A bot of a server, or an incoming webhook of it."""

    name: ClassVar[ChannelName] = "mattermost"
    traits: ClassVar = ChannelTraits()

    client: httpx.AsyncClient
    url: str = ""
    token: str = field(default="", repr=False)
    webhook_url: str = field(default="", repr=False)

    @property
    def missing(self) -> str | None:
        """The settings that it lacks."""
        return None if self.url or self.webhook_url else MISSING

    async def send(self, parcel: Parcel, at: datetime) -> Outcome:
        """Write to a person, or to the channel of a team, once."""
        contact = contact_of(parcel)
        if contact.is_of_team:
            return await self._to_team(contact, at)
        found = USER_NAME.fullmatch(contact.to.lower())
        if found is None:
            return Failed(NO_NAME, permanent=True)
        if not self.url:
            return await self._by_webhook(contact, found[1], at)
        return await self._by_bot(contact, found[1], at)

    async def _to_team(self, contact: ToContact, at: datetime) -> Outcome:
        if not self.url:
            return Failed(NO_BOT, permanent=True)
        bot = await self._ask("GET", "users/me")
        if isinstance(bot, Failed) or not bot.is_success:
            return _failed(bot, at)
        return await self._post(contact, bot.text("id"), contact.to, at)

    async def _by_bot(self, contact: ToContact, user: str, at: datetime) -> Outcome:
        bot = await self._ask("GET", "users/me")
        person = await self._ask("GET", f"users/username/{quote(user, safe='')}")
        ids = []
        for each in (bot, person):
            if isinstance(each, Failed) or not each.is_success:
                return _failed(each, at)
            ids.append(each.text("id"))
        room = await self._ask("POST", "channels/direct", ids)
        if isinstance(room, Failed) or not room.is_success:
            return _failed(room, at)
        return await self._post(contact, ids[0], room.text("id"), at)

    async def _post(
        self, contact: ToContact, bot: str, room: str, at: datetime
    ) -> Outcome:
        post: dict[str, Any] = {
            "channel_id": room,
            "message": _text(contact),
            "pending_post_id": f"{bot}:{contact.key}",
        }
        if contact.message.accept_url:
            post["props"] = {"attachments": [take_button(contact)]}
        return await deliver(
            self.client, self._request("POST", "posts", post), at, _read
        )

    async def _by_webhook(self, contact: ToContact, user: str, at: datetime) -> Outcome:
        message = {"channel": f"@{user}", "text": _text(contact)}
        request = self.client.build_request("POST", self.webhook_url, json=message)
        return await deliver(self.client, request, at, _read)

    async def _ask(
        self, method: str, path: str, body: object = None
    ) -> Answer | Failed:
        return await call(self.client, self._request(method, path, body))

    def _request(self, method: str, path: str, body: object) -> httpx.Request:
        return self.client.build_request(
            method,
            f"{self.url}/api/v4/{path}",
            json=body,
            headers={"authorization": f"Bearer {self.token}"},
        )


def mattermost_channel(context: ChannelContext) -> Mattermost:
    """Return the channel as the settings configure it."""
    settings = context.settings
    url, token = settings.mattermost_url, settings.mattermost_token
    hook = settings.mattermost_webhook_url
    return Mattermost(
        context.client,
        url.get_secret_value().rstrip("/") if url else "",
        token.get_secret_value() if token else "",
        hook.get_secret_value() if hook else "",
    )


_read = partial(outcome, id_="id", code="id")


def _failed(answer: Answer | Failed, at: datetime) -> Failed:
    if isinstance(answer, Failed):
        return answer
    return failure(answer, at, answer.text("id"))


def _text(contact: ToContact) -> str:
    """Return the message as Markdown; nothing in a title can link or mention."""
    message = contact.message
    lines = [_MARKDOWN.sub(r"\\\1", message.line).replace("@", _NO_MENTION)]
    links = [
        f"[{label}]({url})"
        for label, url in (
            (message.accept_label, message.accept_url),
            (message.open_label, message.url),
        )
        if url
    ]
    return "\n".join([*lines, " · ".join(links)] if links else lines)


def take_button(contact: ToContact) -> dict[str, Any]:
    """Return the button that takes the incident; the server posts to its link."""
    message = contact.message
    key = sha256(contact.key.encode()).hexdigest()[:_KEY_DIGITS]
    pressed = {"action": "take", "key": key}
    action = {
        "id": "take",
        "type": "button",
        "style": "primary",
        "name": message.accept_label,
        "integration": {"url": message.accept_url, "context": pressed},
    }
    return {"fallback": message.line, "actions": [action]}
