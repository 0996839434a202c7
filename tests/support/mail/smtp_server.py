"""A real SMTP server on this machine: collects mail, or refuses and hangs when told."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from queue import Queue

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.patience import SECONDS

HOST = "127.0.0.1"


@dataclass
class Inbox:
    """What came, oldest first. The port it listens on is `port`.

    `refuse_recipients`, `refuse_content`: the answer to RCPT and to DATA, such as
    `451 4.7.1 later`; None takes it. `hang`: never answer DATA, for those `hanging`,
    until it has given up on them.
    """

    refuse_recipients: str | None = None
    refuse_content: str | None = None
    hang: bool = False
    hanging: list[EmailMessage] = field(default_factory=list)
    gives_up: bool = False
    smtps: bool = False
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    @property
    def delivered(self) -> list[tuple[EmailMessage, list[str]]]:
        """Each mail with its recipients, oldest first."""
        return list(zip(self.mails, self.recipients, strict=False))

    def to(self, address: str) -> list[EmailMessage]:
        """Return the mails to an address alone, oldest first."""
        return [mail for mail, to in self.delivered if to == [address]]

    async def handle_RCPT(  # noqa: N802 - the name and the arguments are aiosmtpd's
        self,
        server: SMTP,  # noqa: ARG002 - likewise
        session: Session,  # noqa: ARG002 - likewise
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],  # noqa: ARG002 - likewise
    ) -> str:
        """Take or refuse a recipient."""
        if self.refuse_recipients is not None:
            return self.refuse_recipients
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self,
        server: SMTP,  # noqa: ARG002 - likewise
        session: Session,
        envelope: Envelope,
    ) -> str:
        """Keep, refuse or leave unanswered a whole mail."""
        assert isinstance(envelope.content, bytes)
        mail = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(mail, EmailMessage)
        if self.hang:
            self.hanging.append(mail)
            try:
                while not self.gives_up:
                    await asyncio.sleep(0.05)
            finally:
                self.hanging.remove(mail)
            return "451 4.4.2 timeout exceeded"
        if self.refuse_content is not None:
            return self.refuse_content
        self.recipients.append(list(envelope.rcpt_tos))
        self.encrypted.append(session.ssl is not None or self.smtps)
        self.mails.append(mail)  # last: who waits for a mail may look at the others
        return f"250 2.0.0 OK: queued as {len(self.mails)} for {envelope.rcpt_tos[0]}"

    def login(self, password: str, given: object) -> AuthResult:
        """Tell whether whoever logs in knows the password."""
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login.decode(), given.password.decode()))
        return AuthResult(success=given.password.decode() == password, handled=False)


@contextmanager
def open_inbox(
    *,
    password: str | None = None,
    tls: ssl.SSLContext | None = None,
    smtps: bool = False,
) -> Iterator[Inbox]:
    """Run a server on a free port; with `tls` it offers STARTTLS, or speaks TLS only.

    With `password`, who logs in must know it.
    """
    inbox = Inbox(smtps=smtps)
    begun: Queue[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Queue()

    def session() -> SMTP:
        return SMTP(
            inbox,
            hostname="inbox.example",
            loop=asyncio.get_running_loop(),
            tls_context=None if smtps else tls,
            auth_require_tls=False,
            authenticator=None
            if password is None
            else lambda *given: inbox.login(password, given[-1]),
        )

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(session, HOST, 0, ssl=tls if smtps else None)
        inbox.port = server.sockets[0].getsockname()[1]
        begun.put((loop, stop))
        await stop.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    loop, stop = begun.get(timeout=SECONDS)
    try:
        yield inbox
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=SECONDS)
        assert not thread.is_alive(), "the inbox does not close"
