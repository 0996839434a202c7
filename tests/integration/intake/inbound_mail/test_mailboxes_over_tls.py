"""A mailbox is read over TLS, and through outages: each mail once, and none is lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from services.intake.assembly import Parts
from services.intake.mailboxes.mailbox import Mailbox
from shared.domain.policy.sources import Mailbox as Clause
from shared.eventlog.log import EventLog
from shared.security.access import create
from tests.integration.intake.conftest import MASTER, NOW
from tests.support.desks.leadership import Unfenced
from tests.support.desks.mail import DESK, LetterDoors
from tests.support.mail.imap_server import (
    PASSWORD_CODED,
    USER,
    ImapServer,
    running_imap,
)
from tests.support.mail.raw_mails import mail
from tests.support.servers.certificates import certificate
from tests.support.servers.proxy import Proxy, proxy_before
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

HERE = "127.0.0.1"
CLAUSE = Clause(type="imap", url="env:BOX")
ROUNDS = 6
"""Enough to come back after one failure, and to look again at what is there."""


@contextmanager
def desk_on(ruled: Database) -> Iterator[LetterDoors]:
    """Give intake on a desk with the starter policy."""
    dsn = ruled.dsn("desk_intake")
    with (
        closing(EventLog.open(ruled.owner_dsn)) as owner,
        closing(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as log,
        ThreadPoolExecutor(4) as executor,
    ):
        with owner.transaction() as cursor:
            token = create(cursor, NOW, "person:nadia", ["agent"]).token
        yield LetterDoors(log, owner, executor, token, NOW)


@contextmanager
def over_tls(
    imap: ImapServer, folder: Path, trusts: pytest.MonkeyPatch
) -> Iterator[Proxy]:
    """Give a server that speaks TLS from the start, which this machine trusts."""
    file, tls = certificate(folder, HERE)
    trusts.setenv("SSL_CERT_FILE", str(file))
    with proxy_before(imap.port, tls) as proxy:
        yield proxy


def numbered(number: int) -> bytes:
    return mail("The portal is down.", message_id=f"<{number}@valmont.example>")


def url(port: int, host: str = HERE) -> str:
    return f"imaps://{USER}:{PASSWORD_CODED}@{host}:{port}/INBOX"


def reads(desk: LetterDoors, address: str, rounds: int = 1) -> list[str | None]:
    """Read a mailbox so many times; return why it was away after each round."""

    async def work(parts: Parts) -> list[str | None]:
        given = {"BOX": address}
        box = Mailbox("boite", CLAUSE, desk.log, parts.letters, DESK, given)
        away = []
        for _ in range(rounds):
            await box.round(Unfenced(), 0.0)
            away.append(box.why_away)
        await box.close()
        return away

    return desk.with_parts(work)


def taken(desk: LetterDoors) -> list[str]:
    rows = desk.asks("SELECT verdict FROM intake.letters ORDER BY letter_id")
    return [row[0] for row in rows]


def test_mails_are_read_over_tls_from_the_start(
    ruled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        running_imap() as imap,
        desk_on(ruled) as desk,
        over_tls(imap, tmp_path, monkeypatch) as proxy,
    ):
        imap.receives(numbered(1), numbered(2))

        assert reads(desk, url(proxy.port), rounds=2) == [None, None]
        assert taken(desk) == ["opened", "opened"]
        assert imap.unread() == 0


def test_a_server_that_cannot_prove_who_it_is_hears_no_password(
    ruled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        running_imap() as imap,
        desk_on(ruled) as desk,
        over_tls(imap, tmp_path, monkeypatch) as proxy,
    ):
        imap.receives(numbered(1))
        (another_name,) = reads(desk, url(proxy.port, "localhost"))
        monkeypatch.delenv("SSL_CERT_FILE")
        (stranger,) = reads(desk, url(proxy.port))

    assert "certificate" in (another_name or "")
    assert "certificate" in (stranger or "")


@pytest.mark.parametrize("told", [b"SELECT", b"SEARCH", b"FETCH", b"STORE"])
def test_whatever_it_was_told_when_it_went_away_it_goes_on_where_it_was(
    told: bytes, ruled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        running_imap() as imap,
        desk_on(ruled) as desk,
        over_tls(imap, tmp_path, monkeypatch) as proxy,
    ):
        imap.receives(*map(numbered, range(3)))
        proxy.lose_answer_to = told

        away = reads(desk, url(proxy.port), ROUNDS)

        assert proxy.lost.is_set()
        assert away[0]
        assert away[-1] is None
        assert taken(desk) == ["opened"] * 3


def test_what_comes_while_the_server_is_away_is_read_when_it_is_back(
    ruled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_imap() as imap, desk_on(ruled) as desk:
        file, tls = certificate(tmp_path, HERE)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        imap.receives(numbered(1))

        async def work(parts: Parts) -> list[str | None]:
            given: dict[str, str] = {}
            box = Mailbox("boite", CLAUSE, desk.log, parts.letters, DESK, given)
            seen = []
            with proxy_before(imap.port, tls) as proxy:
                given["BOX"] = url(proxy.port)
                await box.round(Unfenced(), 0.0)
                seen.append(box.why_away)
            imap.receives(numbered(2), numbered(3))
            for _ in range(2):
                await box.round(Unfenced(), 0.0)
                seen.append(box.why_away)
            with proxy_before(imap.port, tls) as proxy:
                given["BOX"] = url(proxy.port)
                for _ in range(2):
                    await box.round(Unfenced(), 0.0)
                    seen.append(box.why_away)
            await box.close()
            return seen

        before, first, second, back, again = desk.with_parts(work)

        assert before is back is again is None
        assert first
        assert second
        assert taken(desk) == ["opened"] * 3
