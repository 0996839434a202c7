"""A real IMAP server on this machine, in a process of its own; its mails are memory."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from socket import create_connection
from time import monotonic, sleep

from imapclient import IMAPClient

from tests.support.patience import SECONDS
from tests.support.ports import reserved_port

HOST = "127.0.0.1"
USER, PASSWORD = "desk", "p@ss:word"
PASSWORD_CODED = "p%40ss%3Aword"
"""As it stands in an address."""


@dataclass
class ImapServer:
    """The server; ended and begun again, it has forgotten everything."""

    port: int = field(default_factory=reserved_port)
    host: str = HOST
    certificate: Path | None = None
    """With one, TLS is offered (STARTTLS); its key lies beside it as `key.pem`."""
    tokens: Path | None = None
    """With a folder, access tokens are taken, as `imap_with_tokens` says."""
    mechanisms: str = "XOAUTH2"
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of its mailbox, as a secret holds it."""
        return f"imap://{USER}:{PASSWORD_CODED}@{self.host}:{self.port}/INBOX"

    def begin(self) -> None:
        """Serve, from now on."""
        command = [
            *self._program(),
            *("--host", self.host, "--port", str(self.port), *self._tls(), "dict"),
            *("--demo-user", USER, "--demo-password", PASSWORD),
        ]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = monotonic() + SECONDS
        while True:
            try:
                create_connection((HOST, self.port)).close()
            except OSError:
                assert monotonic() < deadline, "the IMAP server does not come up"
                sleep(0.02)
            else:
                return

    def end(self) -> None:
        """Be away."""
        if self.process is not None:
            # Asked politely it waits, from Python 3.12 on, until its clients have left.
            self.process.kill()
            self.process.wait(SECONDS)
            self.process = None

    def accepts(self, *tokens: str) -> None:
        """Let in who presents one of these, from now on."""
        assert self.tokens is not None
        (self.tokens / "accepted").write_text("\n".join(tokens), encoding="ascii")

    def presented(self) -> list[str]:
        """Return how, for whom and which token was presented, and what followed."""
        assert self.tokens is not None
        file = self.tokens / "presented"
        return file.read_text(encoding="ascii").splitlines() if file.exists() else []

    def receives(self, *mails: bytes, at: datetime | None = None) -> None:
        """Put mails into the mailbox, as delivery does."""
        with self._client() as client:
            for mail in mails:
                client.append("INBOX", mail, msg_time=at)

    def reads(self) -> None:
        """Mark all as read, as a person does who looks into it."""
        with self._client() as client:
            client.select_folder("INBOX")
            client.add_flags(client.search(), ["\\Seen"], silent=True)

    def unread(self) -> int:
        """Return how many mails are not marked as read."""
        with self._client() as client:
            client.select_folder("INBOX", readonly=True)
            return len(client.search(["UNSEEN"]))

    def _program(self) -> list[str]:
        if self.tokens is None:
            return [str(Path(sys.executable).parent / "pymap")]
        program = Path(__file__).with_name("imap_with_tokens.py")
        given = (str(self.tokens), self.mechanisms, USER, PASSWORD)
        return [sys.executable, str(program), *given]

    def _tls(self) -> list[str]:
        if self.certificate is None:
            return []
        key = self.certificate.with_name("key.pem")
        return ["--cert", str(self.certificate), "--key", str(key)]

    def _client(self) -> IMAPClient:
        client = IMAPClient(HOST, self.port, ssl=False, timeout=SECONDS)
        client.login(USER, PASSWORD)
        return client


@contextmanager
def running_imap(
    host: str = HOST,
    certificate: Path | None = None,
    tokens: Path | None = None,
    mechanisms: str = "XOAUTH2",
) -> Iterator[ImapServer]:
    """Run a server while the body does."""
    server = ImapServer(
        host=host, certificate=certificate, tokens=tokens, mechanisms=mechanisms
    )
    server.begin()
    try:
        yield server
    finally:
        server.end()
