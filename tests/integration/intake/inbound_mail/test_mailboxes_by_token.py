"""A mailbox whose server takes access tokens is read, from a real server and endpoint.

The token is had over HTTP, presented over IMAP, and replaced before it expires.
"""

import logging
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from services.intake.assembly import Parts
from services.intake.mailboxes import access_tokens
from services.intake.mailboxes.mailbox import Mailbox
from tests.support.desks.leadership import Unfenced
from tests.support.desks.mail import CLAUSE, DESK, LetterDoors, numbered, taken
from tests.support.mail.imap_server import USER, ImapServer, running_imap
from tests.support.servers.proxy import proxy_before
from tests.support.servers.webhook_receiver import Postbox, Reply, open_postbox

pytestmark = pytest.mark.servers

SECRET = "client-Qx7"
OLD, NEW = "token-1-Qx7", "token-2-Qx7"
LIFE = 3_600


@pytest.fixture
def endpoint() -> Iterator[Postbox]:
    """Give an endpoint that gives an older token once, then a newer one."""
    with open_postbox() as postbox:
        postbox.status, postbox.body = 200, granted(NEW)
        postbox.first = [Reply(granted(OLD))]
        yield postbox


def granted(token: str) -> bytes:
    return orjson.dumps({"access_token": token, "expires_in": LIFE})


@contextmanager
def imap_with(
    folder: Path, *tokens: str, mechanisms: str = "XOAUTH2"
) -> Iterator[ImapServer]:
    """Give a mail server that takes these tokens."""
    (folder / "accepted").write_text("\n".join(tokens), encoding="ascii")
    with running_imap(tokens=folder, mechanisms=mechanisms) as server:
        yield server


class Box:
    """A mailbox with an unread mail, whose rounds a test begins."""

    def __init__(
        self,
        desk: LetterDoors,
        imap: ImapServer,
        endpoint: Postbox,
        port: int | None = None,
    ) -> None:
        """Write its secret; `port` is one in front of the server."""
        self._desk = desk
        self.logs: Sequence[Mapping[str, object]] = ()
        secret = {
            "mailbox": f"imap://{USER}@{imap.host}:{port or imap.port}/INBOX",
            "token_url": endpoint.url,
            "client_id": "us",
            "client_secret": SECRET,
        }
        self.given = {"BOX": orjson.dumps(secret).decode()}
        imap.receives(numbered(1))

    def reads(self, *moments: float) -> list[str | None]:
        """Read it at each of these times; return why it was away."""

        async def work(parts: Parts) -> list[str | None]:
            letters = parts.letters
            box = Mailbox("boite", CLAUSE, self._desk.log, letters, DESK, self.given)
            away = []
            for now in moments:
                await box.round(Unfenced(), now)
                away.append(box.why_away)
            await box.close()
            return away

        with capture_logs() as self.logs:
            away = self._desk.with_parts(work)
        assert "Qx7" not in f"{self.logs}{away}"
        return away


@pytest.mark.parametrize(
    ("mechanisms", "used"),
    [("OAUTHBEARER,XOAUTH2", "XOAUTH2"), ("OAUTHBEARER", "OAUTHBEARER")],
)
def test_a_mail_is_read_with_a_token(
    mechanisms: str,
    used: str,
    desk: LetterDoors,
    endpoint: Postbox,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with imap_with(tmp_path, OLD, mechanisms=mechanisms) as imap:
        assert Box(desk, imap, endpoint).reads(0, 5) == [None, None]

        assert taken(desk) == ["opened"]
        assert imap.unread() == 0
        assert imap.presented() == [f"{used} {USER} {OLD}"]
    assert len(endpoint.requests) == 1
    assert "AUTHENTICATE **REDACTED**" in caplog.text
    beginnings = (b64encode(each).decode() for each in (b"user=desk", b"n,a=desk,"))
    assert not any(each in caplog.text for each in ("Qx7", *beginnings))


def test_a_token_is_replaced_before_it_expires(
    desk: LetterDoors, endpoint: Postbox, tmp_path: Path
) -> None:
    """The connection, too: some servers hang up as soon as the token has expired."""
    with imap_with(tmp_path, OLD, NEW) as imap:
        assert Box(desk, imap, endpoint).reads(0, LIFE - 61, LIFE - 60) == [None] * 3

        assert imap.presented() == [f"XOAUTH2 {USER} {OLD}", f"XOAUTH2 {USER} {NEW}"]


def test_a_token_that_is_refused_is_replaced_once(
    desk: LetterDoors, endpoint: Postbox, tmp_path: Path
) -> None:
    with imap_with(tmp_path, NEW) as imap:
        assert Box(desk, imap, endpoint).reads(0) == [None]

        assert taken(desk) == ["opened"]
        assert imap.presented() == [
            f"XOAUTH2 {USER} {OLD} b''",
            f"XOAUTH2 {USER} {NEW}",
        ]


@pytest.mark.parametrize(
    ("mechanism", "ending"), [("XOAUTH2", b""), ("OAUTHBEARER", b"\1")]
)
def test_a_mailbox_whose_tokens_are_refused_is_reported(
    mechanism: str,
    ending: bytes,
    desk: LetterDoors,
    endpoint: Postbox,
    tmp_path: Path,
) -> None:
    with imap_with(tmp_path, mechanisms=mechanism) as imap:
        box = Box(desk, imap, endpoint)
        (why,) = box.reads(0)

        assert [each["event"] for each in box.logs] == ["mailbox.boite.away"]
        assert why is not None
        assert why.startswith("the mail server refuses the access token: check")
        assert imap.presented() == [
            f"{mechanism} {USER} {token} {ending!r}" for token in (OLD, NEW)
        ]
    assert len(endpoint.requests) == 2


def test_a_server_that_hangs_up_has_not_refused_the_token(
    desk: LetterDoors, endpoint: Postbox, tmp_path: Path
) -> None:
    with imap_with(tmp_path, OLD) as imap, proxy_before(imap.port) as proxy:
        proxy.lose_answer_to = b"AUTHENTICATE"
        first, second = Box(desk, imap, endpoint, proxy.port).reads(0, 1)

        assert first == "the mail server hung up during AUTHENTICATE XOAUTH2"
        assert second is None
        assert imap.presented() == [f"XOAUTH2 {USER} {OLD}"]


def test_a_server_that_takes_passwords_only_hears_no_token(
    desk: LetterDoors, imap: ImapServer, endpoint: Postbox
) -> None:
    (why,) = Box(desk, imap, endpoint).reads(0)

    assert "it offers neither of AUTH=XOAUTH2 and AUTH=OAUTHBEARER" in (why or "")


def test_a_mailbox_whose_provider_gives_no_token_is_reported_until_it_does(
    desk: LetterDoors,
    endpoint: Postbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint.first = [Reply(b"<html>Sign in</html>"), Reply(granted(NEW))]
    with imap_with(tmp_path, NEW) as imap:
        box = Box(desk, imap, endpoint)
        why, after = box.reads(0, 1)

        assert why == (
            "127.0.0.1 does not answer with a JSON object: check `token_url`"
        )
        assert after is None
        assert taken(desk) == ["opened"]

        endpoint.hang = True
        monkeypatch.setattr(access_tokens, "SECONDS_MAX", 0.2)
        assert box.reads(0) == ["127.0.0.1 gave no token within 0.2 s"]


def test_a_secret_that_was_changed_is_used_at_once(
    desk: LetterDoors, endpoint: Postbox, tmp_path: Path
) -> None:
    with imap_with(tmp_path, OLD, NEW) as imap:
        box = Box(desk, imap, endpoint)

        async def work(parts: Parts) -> None:
            letters = parts.letters
            read = Mailbox("boite", CLAUSE, desk.log, letters, DESK, box.given)
            await read.round(Unfenced(), 0)
            box.given["BOX"] = box.given["BOX"].replace(SECRET, "another")
            await read.round(Unfenced(), 1)
            await read.close()

        desk.with_parts(work)

        assert imap.presented() == [f"XOAUTH2 {USER} {OLD}", f"XOAUTH2 {USER} {NEW}"]
    assert b"client_secret=another" in endpoint.requests[-1].body
