"""One connection to a mailbox (RFC 3501, https://www.rfc-editor.org/rfc/rfc3501).

It blocks, so it runs in a thread. Mails are fetched without marking them as read; that
is done once they are taken, so that people see in their mail program what the desk has
read.
"""

import re
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imapclient import SEEN, IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from services.intake.inbound_mail.message import LETTER_BYTES_MAX
from services.intake.mailboxes.address import Address


class TokenRefused(Exception):
    """The mail server does not let in who presents this access token."""


CONNECT_SECONDS = 10
"""How long a server may take for any answer."""
AWAY = (OSError, IMAPClientError, ssl.SSLError, EOFError, TokenRefused)
"""The exceptions raised if a mailbox is unavailable."""
CUT = (OSError, IMAPClientAbortError, ssl.SSLError, EOFError)
"""Those of them after which the connection is of no use."""
UNUSABLE = (IMAPClientError, ValueError, LookupError, TypeError, AttributeError)
"""The exceptions raised if the server refuses one request, or answers nonsense."""
XOAUTH2, OAUTHBEARER = "XOAUTH2", "OAUTHBEARER"
MECHANISMS = (XOAUTH2, OAUTHBEARER)
"""How access tokens are presented; the first that a server offers is used."""
_BUSY = re.compile(r"\[(UNAVAILABLE|LIMIT|INUSE|SERVERBUG)\b")
"""Response codes of RFC 5530 and 9394 that refuse nothing for good."""
_SIZE, _AT, _BODY = b"RFC822.SIZE", b"INTERNALDATE", b"BODY[]"


@dataclass(frozen=True, slots=True)
class FetchedMail:
    """A mail in the mailbox: its UID, its bytes up to a limit, and its arrival."""

    uid: int
    raw: bytes
    arrived_at: datetime | None


class Session:
    """An open mailbox. Each method may raise one of `AWAY`.

    It is opened with the password in the address, or else with an access token.
    """

    def __init__(self, address: Address, token: str = "") -> None:
        self._client = _connected(address, token)
        try:
            chosen: dict[bytes, Any] = self._client.select_folder(address.folder)
        except BaseException:
            with suppress(*AWAY):
                self._client.shutdown()
            raise
        self.validity = int(chosen.get(b"UIDVALIDITY", 0))
        self.last = int(chosen.get(b"UIDNEXT", 1)) - 1
        """The greatest UID when the mailbox was opened."""
        self.may_mark = b"READ-ONLY" not in chosen

    def fresh(self, after: int | None) -> list[int]:
        """Return the UIDs greater than `after`; without it, those of all unread mails.

        A mailbox that is read for the first time may contain mails handled long ago.
        """
        self._client.noop()  # servers report new mails with any answer
        wanted = ["UNSEEN"] if after is None else ["UID", f"{after + 1}:*"]
        # If all UIDs are smaller, `9:*` still matches the last mail.
        return sorted(n for n in self._client.search(wanted) if n > (after or 0))

    def fetch(self, uid: int) -> FetchedMail | None:
        """Return a mail, or None if it was deleted in the meantime."""
        part = f"BODY.PEEK[]<0.{LETTER_BYTES_MAX}>"
        answer = self._client.fetch([uid], [part, "INTERNALDATE"])
        held = answer.get(uid)
        if not held:
            return None
        body = next((v for k, v in held.items() if k.startswith(_BODY)), None)
        if not isinstance(body, bytes):
            raise TypeError("the server sent no content of the mail")
        return FetchedMail(uid, body, _instant(held.get(_AT)))

    def mark(self, uid: int) -> None:
        """Mark a mail as read."""
        if self.may_mark:
            self._client.add_flags([uid], [SEEN], silent=True)

    def close(self) -> None:
        """Disconnect. Never raises."""
        with suppress(*AWAY):
            self._client.logout()
        with suppress(*AWAY):
            self._client.shutdown()


def _connected(address: Address, token: str) -> IMAPClient:
    context = ssl.create_default_context() if address.tls else None
    client = IMAPClient(
        address.host,
        port=address.port,
        ssl=address.tls,
        ssl_context=context,
        timeout=CONNECT_SECONDS,
    )
    client.normalise_times = False
    try:
        if not address.tls and not address.is_here:
            client.starttls(ssl.create_default_context())
        if isinstance(address.login, str):
            client.login(address.user, address.login)
        else:
            _present(client, address, token)
    except BaseException:
        with suppress(*AWAY):
            client.shutdown()
        raise
    return client


def token_answers(address: Address, mechanism: str, token: str) -> tuple[str, str]:
    """Return the answer with a token to a server, and the one once it was refused.

    A server that refuses a token says why first, and goes on after an answer to that.
    https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
    """
    if mechanism == XOAUTH2:
        return f"user={address.user}\1auth=Bearer {token}\1\1", ""
    # RFC 7628, 3.1 and 3.2.3; the name as in RFC 5801.
    name = address.user.replace("=", "=3D").replace(",", "=2C")
    where = f"host={address.host}\1port={address.port}\1"
    return f"n,a={name},\1{where}auth=Bearer {token}\1\1", "\1"


def _present(client: IMAPClient, address: Address, token: str) -> None:
    """Sign in with an access token. Raises `TokenRefused`."""
    offered = (each for each in MECHANISMS if client.has_capability(f"AUTH={each}"))
    mechanism = next(offered, None)
    if mechanism is None:
        raise IMAPClientError(
            "the mail server does not accept access tokens: it offers neither of "
            + " and ".join(f"AUTH={each}" for each in MECHANISMS)
        )
    answers = iter(token_answers(address, mechanism, token))
    # What the server says is not repeated: it has heard the token.
    try:
        client.sasl_login(mechanism, lambda _: next(answers, None))
    except LoginError as error:
        if isinstance(error.__context__, IMAPClientAbortError):
            why = f"the mail server hung up during AUTHENTICATE {mechanism}"
            raise IMAPClientAbortError(why) from None
        if busy := _BUSY.search(str(error)):
            why = f"the mail server signs nobody in at present ({busy[1]})"
            raise IMAPClientError(why) from None
        raise TokenRefused(
            "the mail server refuses the access token: check the name in `mailbox`, "
            "`scope`, and that the application may read this mailbox"
        ) from None
    except ValueError:
        why = "the mail server's answer to AUTHENTICATE cannot be read"
        raise IMAPClientError(why) from None


def _instant(at: object) -> datetime | None:
    if not isinstance(at, datetime):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
