"""SMS and voice calls by Twilio.

Twilio accepts a message first and reports later whether it arrived, at the callback
address of the parcel. It has no keys for repeats: a message that is sent again after a
crash arrives twice. A call reads the message aloud; the key 1 confirms it, and takes
the incident of a page.

https://www.twilio.com/docs/messaging/api/message-resource
https://www.twilio.com/docs/voice/api/call-resource
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import httpx

from services.escalation.notifications.channels.channel import (
    ChannelContext,
    ChannelTraits,
    contact_of,
)
from services.escalation.notifications.channels.gsm import SMS_MAX, gsm_text
from services.escalation.notifications.channels.http_call import deliver, outcome
from services.escalation.notifications.channels.parcel import Parcel, ToContact
from services.escalation.notifications.channels.retry import Failed, Outcome
from shared.domain.contact_methods.values import NUMBER
from shared.domain.events.notification import Channel as ChannelName
from shared.i18n.catalog import text_of

MISSING = (
    "Twilio is not set: set PERMANENCE_TWILIO_ACCOUNT, PERMANENCE_TWILIO_TOKEN and "
    "PERMANENCE_TWILIO_FROM"
)
NO_NUMBER = "the address is not a telephone number: write it as +33612345678"
RING_SECONDS = 30
RETRIED_FOR = timedelta(minutes=3)
"""After that, the next channel is of more use than this one."""
_DIGITS = re.compile(r"[0-9]{4,}")
_VOICES = {"fr": "fr-FR", "en": "en-GB"}


@dataclass(frozen=True)
class TwilioAccount:
    """An account, and the number that it writes and calls from."""

    url: str
    account: str
    token: str = field(repr=False)
    number: str

    async def create(
        self,
        client: httpx.AsyncClient,
        what: str,
        form: Mapping[str, str],
        at: datetime,
    ) -> Outcome:
        """Create a message or a call once."""
        path = f"2010-04-01/Accounts/{quote(self.account, safe='')}/{what}.json"
        request = client.build_request(
            "POST", f"{self.url}/{path}", data={"From": self.number, **form}
        )
        basic = httpx.BasicAuth(self.account, self.token)
        read = partial(outcome, id_="sid", code="code")
        return await deliver(client, next(basic.auth_flow(request)), at, read)


@dataclass(frozen=True)
class Sms:
    """Text messages to mobile phones."""

    name: ClassVar[ChannelName] = "sms"
    traits: ClassVar = ChannelTraits(retried_for=RETRIED_FOR, length_max=SMS_MAX)

    client: httpx.AsyncClient
    account: TwilioAccount | None = None

    @property
    def missing(self) -> str | None:
        """The settings that it lacks."""
        return None if self.account else MISSING

    async def send(self, parcel: Parcel, at: datetime) -> Outcome:
        """Send a text message once."""
        contact = contact_of(parcel)
        if self.account is None:
            return Failed(MISSING, permanent=True)
        if NUMBER.fullmatch(contact.to) is None:
            return Failed(NO_NUMBER, permanent=True)
        message = contact.message
        form = {"To": contact.to, "Body": gsm_text(message.line, message.accept_url)}
        if contact.callback_url:
            form["StatusCallback"] = contact.callback_url
        return await self.account.create(self.client, "Messages", form, at)


@dataclass(frozen=True)
class Voice:
    """Calls that read the page aloud."""

    name: ClassVar[ChannelName] = "voice"
    traits: ClassVar = ChannelTraits(retried_for=RETRIED_FOR, length_max=500)

    client: httpx.AsyncClient
    account: TwilioAccount | None = None

    @property
    def missing(self) -> str | None:
        """The settings that it lacks."""
        return None if self.account else MISSING

    async def send(self, parcel: Parcel, at: datetime) -> Outcome:
        """Call once."""
        contact = contact_of(parcel)
        if self.account is None:
            return Failed(MISSING, permanent=True)
        if NUMBER.fullmatch(contact.to) is None:
            return Failed(NO_NUMBER, permanent=True)
        form = {
            "To": contact.to,
            "Timeout": str(RING_SECONDS),
            "Twiml": spoken(contact),
        }
        if contact.callback_url:
            form |= {
                "StatusCallback": contact.callback_url,
                "StatusCallbackEvent": "completed",
            }
        return await self.account.create(self.client, "Calls", form, at)


def sms_channel(context: ChannelContext) -> Sms:
    """Return the channel as the settings configure it."""
    return Sms(context.client, _account(context))


def voice_channel(context: ChannelContext) -> Voice:
    """Return the channel as the settings configure it."""
    return Voice(context.client, _account(context))


def _account(context: ChannelContext) -> TwilioAccount | None:
    settings = context.settings
    token, name = settings.twilio_token, settings.twilio_account
    number = settings.twilio_from
    if not (token and name and number):
        return None
    url = settings.twilio_url.rstrip("/")
    return TwilioAccount(url, name, token.get_secret_value(), number)


def spoken(contact: ToContact) -> str:
    """Return the TwiML of a call: the page, twice, and the question for a key."""
    message = contact.message
    # Read as digits, and not as a number of six places: it may be a code.
    said = _DIGITS.sub(lambda found: " ".join(found[0]), message.summary)
    voice = quoteattr(_VOICES.get(message.language, "en-GB"))
    page = f"<Say language={voice}>{escape(said)}</Say>"
    if not contact.callback_url:
        return f'<Response>{page}<Pause length="1"/>{page}</Response>'
    takes = message.urgent and not message.is_test
    what = "press 1" if takes else "press 1 to confirm"
    if message.is_bundle:
        what = "press 1 for all"
    asked = escape(text_of(message.language, "voice", what))
    question = f"{page}<Say language={voice}>{asked}</Say>"
    action = quoteattr(f"{contact.callback_url}/key")
    gather = f'<Gather numDigits="1" timeout="8" action={action} method="POST">'
    return f"<Response>{2 * f'{gather}{question}</Gather>'}</Response>"
