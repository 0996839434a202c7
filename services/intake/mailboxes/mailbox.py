"""Reads one mailbox: each mail is taken, then marked as read; failures are retried.

The position advances only once a mail is recorded. If the process dies in between,
nothing is lost: the mail is found again and recognised as a repeat. Whatever is wrong
with a mail sets that mail aside, and whatever is wrong with a mailbox stops no other.
"""

import asyncio
import math
import os
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import structlog

from services.intake.commands.page_taker import PageNotTaken
from services.intake.inbound_mail.parser import read_letter, unread
from services.intake.inbound_mail.worker import MailDelivery, MailIntake
from services.intake.mailboxes.access_tokens import AccessTokens, NoToken
from services.intake.mailboxes.address import Address, NoAddress, address_of
from services.intake.mailboxes.session import (
    AWAY,
    CUT,
    UNUSABLE,
    FetchedMail,
    Session,
    TokenRefused,
)
from services.intake.mailboxes.store import Mark, read_mark, write_mark
from services.intake.records.store import CODE as UNREADABLE
from shared.database.leadership import Leadership, LeaseLost
from shared.domain.policy.sources import Mailbox as Clause
from shared.eventlog.batcher import Overloaded
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.observability.telemetry import Outage

AT_ONCE_MAX = 100
"""Mails taken in one round, before other work gets its turn."""
WAIT_SECONDS, WAIT_SECONDS_MAX = 1.0, 60.0
FETCHES_MAX = 3
"""How often a mail that the server refuses to send is asked for."""
TOLD_MAX = 400
"""Characters of the reason why a mailbox is away."""
_LATER = (429, 503)

_log = structlog.get_logger(__name__)


class Mailbox:
    """A mailbox that the policy declares as the source `source`."""

    def __init__(
        self,
        source: str,
        clause: Clause,
        log: EventLog,
        letters: MailIntake,
        our_address: str | None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.clause = clause
        self.why_away: str | None = None
        self.takes_nothing = False
        """Whether mails wait in it and the last round took none."""
        self._refused: Counter[int] = Counter()
        """How often the server refused to send a mail, by UID."""
        self._source = source
        self._log = log
        self._letters = letters
        self._our_address = our_address
        self._environment = environment
        self._session: Session | None = None
        self._address: Address | None = None
        self._tokens: AccessTokens | None = None
        """For a mailbox whose server takes no password."""
        self._fresh_until = math.inf
        """When the token expires with which the session was opened."""
        self._wait = WAIT_SECONDS
        doing = "its mails wait there; trying again"
        self._outage = Outage(f"mailbox.{source}", doing)

    async def round(self, seat: Leadership, now: float) -> float:
        """Take new mails; return how long to wait if the mailbox is unavailable.

        `now` is the time on the monotonic clock, by which access tokens expire.
        Raises `LeaseLost` if `seat` no longer holds the lease.
        """
        try:
            await self._round(seat, now)
        except LeaseLost:
            raise
        except (*AWAY, NoAddress, NoToken, Unavailable, Overloaded, HttpError) as error:
            self._outage.away(error)
            return await self._later(_told(error))
        except Exception as error:  # noqa: BLE001 # ours; other mailboxes go on
            _log.exception("mailbox.failed", source=self._source)
            kind = type(error).__name__
            return await self._later(f"a mistake of ours ({kind}): see the log")
        self.why_away, self._wait = None, WAIT_SECONDS
        self._outage.back()
        return 0.0

    async def _later(self, why: str) -> float:
        """Give up this round; return how long to wait before the next."""
        await self.close()
        self.why_away = why
        wait, self._wait = self._wait, min(self._wait * 2, WAIT_SECONDS_MAX)
        return wait

    async def close(self) -> None:
        """Disconnect from the server."""
        session, self._session = self._session, None
        self._fresh_until = math.inf
        if session is not None:
            await asyncio.to_thread(session.close)

    async def _round(self, seat: Leadership, now: float) -> None:
        self.takes_nothing = False
        session = await self._opened(seat, now)
        mark = await asyncio.to_thread(self._mark)
        after = mark.uid if mark and mark.validity == session.validity else None
        numbers = await asyncio.to_thread(session.fresh, after)
        self.takes_nothing = bool(numbers)
        for uid in numbers[:AT_ONCE_MAX]:
            seat.prove()
            found = await self._fetched(session, uid)
            seat.check()
            if found is not None:
                await self._take(found)
            await asyncio.to_thread(self._pass, Mark(session.validity, uid), seat)
            self.takes_nothing = False
            if found is not None:
                await asyncio.to_thread(session.mark, uid)
        if after is None and len(numbers) <= AT_ONCE_MAX:
            # Mails read before the first round are skipped; later ones are all taken.
            last = max([session.last, *numbers])
            await asyncio.to_thread(self._pass, Mark(session.validity, last), seat)

    async def _fetched(self, session: Session, uid: int) -> FetchedMail | None:
        """Return a mail; None if it is gone, or if the server does not send it.

        Of a mail that it refuses to send a note is kept, after some tries.
        """
        try:
            return await asyncio.to_thread(session.fetch, uid)
        except CUT:
            raise
        except UNUSABLE as error:
            self._refused[uid] += 1
            if self._refused[uid] < FETCHES_MAX:
                raise
            _log.exception("mailbox.fetch_failed", source=self._source, uid=uid)
            why = f"the mail server did not send it ({type(error).__name__})"
        at = f"UID {uid}, UIDVALIDITY {session.validity}"
        note = f"This mail is still in the mailbox {self._source}: {at}.".encode()
        await self._letters.set_aside(unread(note, why), self._post(note, None), why)
        return None

    async def _opened(self, seat: Leadership, now: float) -> Session:
        # Read each time, so that a changed secret needs no restart.
        address = address_of(self.clause.url, self._environment)
        if address != self._address:
            await self.close()
            login, self._address = address.login, address
            self._tokens = None if isinstance(login, str) else AccessTokens(login)
        if now >= self._fresh_until:
            # Some servers hang up once the token has expired.
            await self.close()
        if self._session is None:
            if self._tokens is None:
                self._session = await asyncio.to_thread(Session, address)
            else:
                self._session = await self._by_token(address, self._tokens, seat, now)
        return self._session

    async def _by_token(
        self, address: Address, tokens: AccessTokens, seat: Leadership, now: float
    ) -> Session:
        """Return a session opened with a token; a refused one is replaced once."""
        token = await tokens.token(now)
        try:
            session = await asyncio.to_thread(Session, address, token.text)
        except TokenRefused:
            tokens.refuse(token)
            seat.prove()  # it may all have taken long
            token = await tokens.token(now)
            session = await asyncio.to_thread(Session, address, token.text)
        self._fresh_until = token.fresh_until
        return session

    async def _take(self, found: FetchedMail) -> None:
        letter = await asyncio.to_thread(
            read_letter, found.raw, self._our_address, self.clause.authserv_id
        )
        post = self._post(found.raw, found.arrived_at)
        try:
            await self._letters.take(letter, post)
        except (Unavailable, Overloaded):
            raise
        except PageNotTaken as no:
            # The person is paged again if they must; the mails behind this one go on.
            await self._letters.set_aside(letter, post, no.details.detail)
        except HttpError as no:
            # An unreadable incident must not block the mails behind this one.
            own = no.details.code == UNREADABLE
            if no.details.status in _LATER and not own:
                raise
            await self._letters.set_aside(letter, post, no.details.detail)
        except Exception:  # noqa: BLE001 # an internal error must not block the mailbox
            _log.exception("mailbox.letter_failed", source=self._source, uid=found.uid)
            why = "taking it failed by a mistake of ours: the log of intake tells"
            await self._letters.set_aside(letter, post, why)

    def _post(self, raw: bytes, arrived_at: datetime | None) -> MailDelivery:
        return MailDelivery(
            f"source:{self._source}",
            ("source",),
            self._source,
            self.clause.channel,
            arrived_at,
            raw,
        )

    def _mark(self) -> Mark | None:
        with self._log.transaction() as cursor:
            return read_mark(cursor, self._source)

    def _pass(self, mark: Mark, seat: Leadership) -> None:
        with self._log.transaction() as cursor:
            seat.demand(cursor)
            self._log.look(cursor)  # a restored log has lost the mail: read it again
            write_mark(cursor, self._source, mark)


def _told(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0][:TOLD_MAX]
    return text or type(error).__name__
