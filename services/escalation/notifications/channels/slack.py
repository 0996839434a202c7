"""Messages in Slack, by a bot of the workspace.

Slack answers most errors with status 200 and `"ok": false`. The key, as a UUID, is the
message's `client_msg_id`, by which Slack recognises repeats for a while.

https://docs.slack.dev/reference/methods/chat.postMessage
"""

import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

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
from services.escalation.notifications.channels.retry import Failed, Outcome
from shared.domain.contact_methods.values import MEMBER
from shared.domain.events.notification import Channel as ChannelName

MISSING = "Slack is not set: set PERMANENCE_SLACK_TOKEN"
NO_MEMBER = "the address is not an id of Slack: write the member id, as U0123ABCD"
_TO_REPAIR = frozenset(
    {
        *("invalid_auth", "not_authed", "token_revoked", "token_expired"),
        *("account_inactive", "missing_scope"),
    }
)
"""Errors of our credentials, for the operator to repair."""
_TRY_AGAIN = frozenset(
    {
        *("ratelimited", "rate_limited", "internal_error", "fatal_error"),
        *("service_unavailable", "request_timeout"),
    }
)
_KEYS = uuid.UUID("6b1f6a0e-6f0e-4d53-9d0d-5f1c1b8f7a52")


@dataclass(frozen=True)
class Slack:
    """A bot of a workspace."""

    name: ClassVar[ChannelName] = "slack"
    traits: ClassVar = ChannelTraits(length_max=3_000)

    client: httpx.AsyncClient
    url: str = "https://slack.com/api"
    token: str = field(default="", repr=False)

    @property
    def missing(self) -> str | None:
        """The settings that it lacks."""
        return None if self.token else MISSING

    async def send(self, parcel: Parcel, at: datetime) -> Outcome:
        """Write to a member once."""
        contact = contact_of(parcel)
        if MEMBER.fullmatch(contact.to) is None:
            return Failed(NO_MEMBER, permanent=True)
        request = self.client.build_request(
            "POST",
            f"{self.url}/chat.postMessage",
            json=_message(contact),
            headers={"authorization": f"Bearer {self.token}"},
        )
        return await deliver(self.client, request, at, _read)


def slack_channel(context: ChannelContext) -> Slack:
    """Return the channel as the settings configure it."""
    settings = context.settings
    token = settings.slack_token
    return Slack(
        context.client,
        settings.slack_url.rstrip("/"),
        token.get_secret_value() if token else "",
    )


def _read(answer: Answer, at: datetime) -> Outcome:
    if answer.is_success and answer.body.get("ok") is not True:
        return _refused(answer.text("error"))
    return outcome(answer, at, id_="ts", code="error")


def _refused(code: str) -> Failed:
    if code in _TO_REPAIR:
        why = f"Slack rejects our token ({code}): check PERMANENCE_SLACK_TOKEN"
        return Failed(why, permanent=False)
    known = code if re.fullmatch(r"[a-z_]{1,60}", code) else "no reason"
    return Failed(f"Slack refused it ({known})", permanent=code not in _TRY_AGAIN)


def _message(contact: ToContact) -> dict[str, Any]:
    message = contact.message
    section = {"type": "section", "text": {"type": "plain_text", "text": message.line}}
    buttons: list[dict[str, Any]] = []
    if message.accept_url:
        take = _button("take", message.accept_label, message.accept_url)
        buttons.append(take | {"style": "primary"})
    if message.url:
        buttons.append(_button("open", message.open_label, message.url))
    blocks: list[dict[str, Any]] = [section]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return {
        "channel": contact.to,
        "text": _escaped(message.line),
        "blocks": blocks,
        "unfurl_links": False,  # Slack would open the link that takes the incident
        "unfurl_media": False,
        "client_msg_id": str(uuid.uuid5(_KEYS, contact.key)),
    }


def _button(id_: str, label: str, url: str) -> dict[str, Any]:
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "action_id": id_, "text": text, "url": url}


def _escaped(text: str) -> str:
    """Return a text in which nothing links or mentions anybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
