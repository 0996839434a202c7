"""Sends a mail through a mail server and returns the outcome.

A failure is permanent only if the server rejects this mail (5xx for the sender, the
recipient or the content). A wrong password, or a server that rejects everything or
cannot be reached, is for the operator to repair; the mail waits.

The server is given as `smtp://name:password@host:port` or `smtps://…`.

| written | encryption |
|---|---|
| `smtps://…` | from the first byte; the certificate is checked |
| `smtp://name:password@elsewhere` | STARTTLS is required; the certificate is checked |
| `smtp://host`, or with a password to this machine | STARTTLS if it is offered |
"""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from services.escalation.notifications.channels.channel import (
    A_DAY,
    ChannelContext,
    ChannelTraits,
)
from services.escalation.notifications.channels.mail_message import (
    Mailbox,
    MailMessage,
    mail_of,
)
from services.escalation.notifications.channels.parcel import ByMail, Parcel
from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome
from shared.domain.events.notification import Channel as ChannelName
from shared.http.networks import is_loopback
from shared.security.signed_links import ReplyTag

_PORTS = {"smtp": 25, "smtps": 465}
_SUBMISSION_PORT = 587
_WRITE = "write the mail server as smtp://name:password@host:port or smtps://host"


@dataclass(frozen=True)
class MailServer:
    """A mail server, and the account used there."""

    host: str
    port: int
    tls: bool
    name: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def secret_on_the_way(self) -> bool:
        """Whether a password would cross the network, which requires encryption."""
        return self.password is not None and not is_loopback(self.host)


def mail_server(url: str) -> MailServer:
    """Parse the URL of a mail server.

    Raise `ValueError` if it is not valid; the message does not repeat the URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(_WRITE) from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
        raise ValueError(_WRITE)
    name = unquote(parts.username) if parts.username else None
    password = unquote(parts.password or "") if name else None
    usual = _PORTS[parts.scheme]
    if parts.scheme == "smtp" and name:
        usual = _SUBMISSION_PORT
    return MailServer(
        parts.hostname, port or usual, parts.scheme == "smtps", name, password
    )


LOCAL_PART_MAX = 64
"""Characters before the @ (RFC 5321): a tag that does not fit is left out."""
NO_MAIL = "no mail server is set: set PERMANENCE_SMTP_URL and PERMANENCE_MAIL_FROM"


@dataclass(frozen=True)
class MailChannel:
    """Mail to users and staff.

    `plus_addresses`: whether the sender's mailbox gets mail to `desk+anything@…`.
    """

    name: ClassVar[ChannelName] = "mail"
    traits: ClassVar = ChannelTraits(internal=True, retried_for=A_DAY)

    server: MailServer | None = None
    sender: Mailbox | None = None
    plus_addresses: bool = False

    @property
    def missing(self) -> str | None:
        """The settings that it lacks."""
        return None if self.server and self.sender else NO_MAIL

    async def send(self, parcel: Parcel, at: datetime) -> Outcome:
        """Send a mail once. Raises `TypeError` for another parcel."""
        if not isinstance(parcel, ByMail):
            raise TypeError(f"{type(parcel).__name__} is not a mail")
        if self.server is None or self.sender is None:
            return Failed(NO_MAIL, permanent=True)
        mail = MailMessage(
            parcel.key,
            parcel.incident,
            self.sender,
            parcel.to,
            parcel.message,
            at,
            parcel.tag,
            self._reply_to(self.sender.address, parcel.tag),
        )
        return await send_mail(self.server, mail)

    def _reply_to(self, sender: str, tag: ReplyTag | None) -> str | None:
        local, _, domain = sender.rpartition("@")
        tagged = f"{local}+{tag}"
        if not self.plus_addresses or tag is None or len(tagged) > LOCAL_PART_MAX:
            return None
        return f"{tagged}@{domain}"


def mail_channel(context: ChannelContext) -> MailChannel:
    """Return the channel as the settings configure it."""
    settings = context.settings
    url, sender = settings.smtp_url, settings.mail_from
    return MailChannel(
        mail_server(url.get_secret_value()) if url else None,
        Mailbox(sender, settings.mail_name) if sender else None,
        settings.mail_plus_addresses,
    )


SECONDS_MAX = 30.0
"""Limit for one mail, from the connection to the server's reply."""
QUIT_SECONDS_MAX = 1.0
RECEIPT_MAX = 200
_PERMANENT = 500
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")


async def send_mail(
    server: MailServer, message: MailMessage, seconds: float = SECONDS_MAX
) -> Outcome:
    """Send `message` to `server` within `seconds`; never raises for remote errors."""
    try:
        mail = mail_of(message)
    except ValueError as error:
        return Failed(str(error), permanent=True)
    client = _client(server, message, seconds)
    try:
        async with asyncio.timeout(seconds):
            await client.connect()
            _, reply = await client.send_message(mail)
        # The server has accepted the mail: an error of QUIT does not matter.
        await _quit(client)
        return Delivered(_receipt(reply, message.to.address))
    except (SMTPException, OSError) as error:
        return _failed(error)
    finally:
        client.close()


async def _quit(client: SMTP) -> None:
    line = client.transport
    with suppress(SMTPException, OSError):
        await client.quit(timeout=QUIT_SECONDS_MAX)
    # A graceful close of a TLS connection would wait for the other side.
    if isinstance(line, asyncio.WriteTransport):
        line.abort()


def _client(server: MailServer, message: MailMessage, seconds: float) -> SMTP:
    guarded = server.tls or server.secret_on_the_way
    return SMTP(
        hostname=server.host,
        port=server.port,
        username=server.name,
        password=server.password,
        use_tls=server.tls,
        # None: STARTTLS if offered. Plain text would do, so any certificate does.
        start_tls=True if guarded and not server.tls else None,
        validate_certs=guarded,
        # Otherwise aiosmtplib asks the DNS for our host name.
        local_hostname=message.sender.address.rpartition("@")[2],
        timeout=seconds,
    )


def _failed(error: SMTPException | OSError) -> Failed:
    match error:
        case SMTPRecipientsRefused(recipients=[refused, *_]):
            return _refused("the recipient", refused)
        case SMTPSenderRefused():
            return _refused("the sender", error)
        case SMTPDataError():
            return _refused("the message", error)
        case _:
            return Failed(_to_repair(error), permanent=False)


def _to_repair(error: SMTPException | OSError) -> str:
    match error:
        case SMTPAuthenticationError():
            codes = _codes(error)
            return f"the mail server rejects the login ({codes}): check the password"
        case SMTPResponseException():
            return f"the mail server rejects the connection ({_codes(error)})"
        case TimeoutError():
            return "the mail server did not answer in time"
        case OSError():
            return f"the mail server cannot be reached ({type(error).__name__})"
        case _:
            # There is no exception class for a server that does not offer STARTTLS.
            return "the mail server offers no encryption, or no supported login"


def _refused(what: str, error: SMTPResponseException) -> Failed:
    return Failed(
        f"the mail server refused {what} ({_codes(error)})",
        permanent=error.code >= _PERMANENT,
    )


def _codes(error: SMTPResponseException) -> str:
    # Only the codes: the server's text often repeats the address.
    enhanced = _ENHANCED.match(error.message)
    return f"{error.code} {enhanced[0]}" if enhanced else str(error.code)


def _receipt(reply: str, address: str) -> str:
    printable = "".join(each for each in reply if each.isprintable())
    return printable.replace(address, "…")[:RECEIPT_MAX]
