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
from ipaddress import ip_address
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

from services.escalation.notifications.channels.mail_message import MailMessage, mail_of
from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome

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
        return self.password is not None and not _is_here(self.host)


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


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


SECONDS_MAX = 30.0
"""Limit for one mail, from the connection to the server's reply."""
GOODBYE_SECONDS_MAX = 1.0
RECEIPT_MAX = 200
_PERMANENT = 500
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")


async def send_mail(
    server: MailServer, letter: MailMessage, seconds: float = SECONDS_MAX
) -> Outcome:
    """Send `letter` to `server` within `seconds`; never raises for remote errors."""
    try:
        mail = mail_of(letter)
    except ValueError as error:
        return Failed(str(error), permanent=True)
    client = _client(server, letter, seconds)
    try:
        async with asyncio.timeout(seconds):
            await client.connect()
            _, answer = await client.send_message(mail)
        # The server has accepted the mail: an error of QUIT does not matter.
        await _say_goodbye(client)
        return Delivered(_receipt(answer, letter.to.address))
    except (SMTPException, OSError) as error:
        return _failed(error)
    finally:
        client.close()


async def _say_goodbye(client: SMTP) -> None:
    line = client.transport
    with suppress(SMTPException, OSError):
        await client.quit(timeout=GOODBYE_SECONDS_MAX)
    # A graceful close of a TLS connection would wait for the other side.
    if isinstance(line, asyncio.WriteTransport):
        line.abort()


def _client(server: MailServer, letter: MailMessage, seconds: float) -> SMTP:
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
        local_hostname=letter.sender.address.rpartition("@")[2],
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
            return Failed(_ours_to_repair(error), permanent=False)


def _ours_to_repair(error: SMTPException | OSError) -> str:
    match error:
        case SMTPAuthenticationError():
            said = _said(error)
            return f"the mail server does not let us in ({said}): check the password"
        case SMTPResponseException():
            return f"the mail server sends us away ({_said(error)})"
        case TimeoutError():
            return "the mail server did not answer in time"
        case OSError():
            return f"the mail server cannot be reached ({type(error).__name__})"
        case _:
            # There is no exception class for a server that does not offer STARTTLS.
            return "the mail server offers no encryption, or no way we can log in"


def _refused(what: str, error: SMTPResponseException) -> Failed:
    return Failed(
        f"the mail server refused {what} ({_said(error)})",
        permanent=error.code >= _PERMANENT,
    )


def _said(error: SMTPResponseException) -> str:
    # Only the codes: the server's text often repeats the address.
    enhanced = _ENHANCED.match(error.message)
    return f"{error.code} {enhanced[0]}" if enhanced else str(error.code)


def _receipt(answer: str, address: str) -> str:
    printable = "".join(each for each in answer if each.isprintable())
    return printable.replace(address, "…")[:RECEIPT_MAX]
