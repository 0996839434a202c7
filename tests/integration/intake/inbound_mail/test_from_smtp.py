"""A user's program hands a mail to a mail server: in the end it is an incident.

What runs is the script that the how-to shows, a real SMTP server that delivers into a
real IMAP server, and the reader of that mailbox.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.intake.assembly import Parts
from services.intake.mailboxes.mailbox import Mailbox
from shared.domain.policy.sources import Mailbox as Clause
from shared.eventlog.log import EventLog
from shared.security.access import create
from tests.docs.pages import DOCS
from tests.integration.intake.conftest import MASTER, NOW
from tests.support.desks.leadership import Unfenced
from tests.support.desks.mail import DESK, LetterDoors
from tests.support.mail.imap_server import ImapServer, running_imap
from tests.support.mail.smtp_server import Inbox, open_inbox
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

PAGE = DOCS / "how-to" / "take-mail.md"
USER = "costa@valmont.example"
SWAKS = shutil.which("swaks")


@dataclass(frozen=True)
class Post:
    """The way of a mail: where it is handed in, where it is delivered, who reads it."""

    smtp: Inbox
    imap: ImapServer
    desk: LetterDoors

    def is_sent_by(self, command: Sequence[str]) -> None:
        """Run a program that sends; then deliver what it sent."""
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        self.imap.receives(*(mail.as_bytes() for mail in self.smtp.mails))
        self.smtp.mails.clear()

    def is_read(self) -> None:
        """Let the desk look into its mailbox."""

        async def work(parts: Parts) -> None:
            clause, given = Clause(type="imap", url="env:BOX"), {"BOX": self.imap.url}
            letters = parts.letters
            box = Mailbox("boite", clause, self.desk.log, letters, DESK, given)
            await box.round(Unfenced(), 0.0)
            await box.close()

        self.desk.with_parts(work)

    def incidents(self) -> list[tuple[str, str]]:
        """Return what was opened: title, and the user's words."""
        refs = self.desk.asks("SELECT DISTINCT incident FROM intake.letters ORDER BY 1")
        told = []
        for (ref,) in refs:
            opened, *others = self.desk.history(ref)
            contacts = (getattr(each, "words", None) for each in others)
            told.append((getattr(opened, "title", ""), next(filter(None, contacts))))
        return told


@pytest.fixture
def post(ruled: Database) -> Iterator[Post]:
    dsn = ruled.dsn("desk_intake")
    with (
        open_inbox() as smtp,
        running_imap() as imap,
        closing(EventLog.open(ruled.owner_dsn)) as owner,
        closing(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as log,
        ThreadPoolExecutor(4) as executor,
    ):
        with owner.transaction() as cursor:
            token = create(cursor, NOW, "person:nadia", ["agent"]).token
        yield Post(smtp, imap, LetterDoors(log, owner, executor, token, NOW))


def test_what_the_page_sends_becomes_an_incident_once(
    post: Post, tmp_path: Path
) -> None:
    found = re.search(r"```python\n(.+?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    script = tmp_path / "try-mail.py"
    script.write_text(found[1], encoding="utf-8")

    sends = [sys.executable, str(script), "127.0.0.1", str(post.smtp.port), USER, DESK]
    post.is_sent_by(sends)
    post.is_read()
    post.is_read()

    ((title, words),) = post.incidents()
    assert title == "The lift hums"
    assert words.startswith("Since this morning, between the second")
    assert post.imap.unread() == 0


@pytest.mark.skipif(SWAKS is None, reason="no swaks here: apt-get install swaks")
def test_what_swaks_sends_does_too(post: Post) -> None:
    server = f"127.0.0.1:{post.smtp.port}"
    subject = ["--header", "Subject: The lift hums", "--body", "It hums."]
    sends = [str(SWAKS), "--server", server, "--from", USER, "--to", DESK, *subject]
    post.is_sent_by(sends)
    post.is_read()

    assert post.incidents() == [("The lift hums", "It hums.")]
