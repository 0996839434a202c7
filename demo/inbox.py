"""Receives the desk's messages: a real mail server and a real receiver of pages."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

import orjson
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.http.serve import serve

HOST = "127.0.0.1"


@dataclass
class Inbox:
    """What was received, oldest first: mails and posted pages."""

    mails: list[EmailMessage] = field(default_factory=list)
    pages: list[dict[str, object]] = field(default_factory=list)
    smtp_port: int = 0
    page_port: int = 0

    def to(self, person: str, kind: str = "") -> list[EmailMessage]:
        """Return the mails to a person whose subject contains `kind`."""
        return [
            mail
            for mail in self.mails
            if str(mail["To"]).find(f"{person}@") >= 0 and kind in str(mail["Subject"])
        ]

    def about(self, person: str, ref: str) -> list[EmailMessage]:
        """Return the mails to a person about one incident."""
        return self.to(person, f"[{ref}]")

    async def handle_DATA(  # noqa: N802 the name is aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep a mail."""
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        mail = BytesParser(policy=default).parsebytes(raw)
        if isinstance(mail, EmailMessage):
            self.mails.append(mail)
        return "250 2.0.0 OK"

    async def page(self, request: Request) -> Response:
        """Keep a page."""
        self.pages.append(orjson.loads(await request.body()))
        return Response(status_code=204)


@asynccontextmanager
async def receiving() -> AsyncIterator[Inbox]:
    """Yield a receiver of mails and pages while the body runs."""
    inbox = Inbox()
    loop = asyncio.get_running_loop()
    make: Callable[[], SMTP] = lambda: SMTP(inbox, enable_SMTPUTF8=True)  # noqa: E731
    smtp = await loop.create_server(make, HOST, 0)
    inbox.smtp_port = smtp.sockets[0].getsockname()[1]
    app = Starlette(routes=[Route("/pages", inbox.page, methods=["POST"])])
    stop, port = asyncio.Event(), loop.create_future()
    serving = asyncio.create_task(serve(app, HOST, 0, stop, listening=port.set_result))
    inbox.page_port = await port
    try:
        yield inbox
    finally:
        stop.set()
        await serving
        smtp.close()
        await smtp.wait_closed()
