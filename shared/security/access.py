"""Who calls: bearer tokens and source keys, of which only hashes are kept.

A token reads `pmn_<id>_<secret>`: the id finds the row, the hash of the whole proves
it. Secrets have 256 random bits, so a fast hash is the right one.
"""

import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, cast

import psycopg
import structlog
from psycopg import Cursor
from psycopg.rows import class_row

from shared.clock import Clock
from shared.eventlog.errors import Unavailable
from shared.messaging.commands import Scope

Transaction = Callable[[], AbstractContextManager[Cursor[tuple[Any, ...]]]]

REMEMBERED_SECONDS = 5.0
"""How long a revoked token may still be accepted by a running process."""
_REMEMBERED_MAX = 10_000
_LIVING_MAX = 100_000
_log = structlog.get_logger(__name__)
_TOKEN = re.compile(r"pmn_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)

_FIND = """
SELECT hash, actor, scopes, expires_at FROM access.tokens
WHERE token_id = %s AND revoked_at IS NULL
"""
_USE = """
INSERT INTO access.token_use AS known (token_id, last_used) VALUES (%s, %s)
ON CONFLICT (token_id) DO UPDATE SET last_used = excluded.last_used
WHERE known.last_used < excluded.last_used - interval '1 minute'
"""
_WAIT_SHORTLY = "SET LOCAL lock_timeout = '50ms'"
_LAST_USED = "SELECT token_id, last_used FROM access.token_use"
_STORE = """
INSERT INTO access.tokens (token_id, hash, actor, scopes, label, created_at, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_LIVING = """
SELECT token_id FROM access.tokens WHERE revoked_at IS NULL
ORDER BY created_at DESC LIMIT %s
"""
_SOURCES = """
SELECT DISTINCT actor FROM access.tokens
WHERE 'source' = ANY (scopes) AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > %s) LIMIT %s
"""
_LIST = """
SELECT token_id, actor, scopes, label, created_at, expires_at, revoked_at
FROM access.tokens ORDER BY created_at, token_id
"""
_REVOKE = """
UPDATE access.tokens SET revoked_at = %s WHERE token_id = %s AND revoked_at IS NULL
"""


@dataclass(frozen=True)
class Caller:
    """The owner of a token: `actor` as in events, and what it may do."""

    actor: str
    scopes: tuple[Scope, ...]
    token_id: str
    expires_at: datetime | None = None


@dataclass(frozen=True)
class NewToken:
    """A token as made: `token` is shown once and never kept."""

    token: str
    token_id: str
    hash: bytes


@dataclass(frozen=True)
class TokenRow:
    """A token as kept, for lists; it lives while neither instant in it is past."""

    token_id: str
    actor: str
    scopes: Sequence[Scope]
    label: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def new_token() -> NewToken:
    """Return a fresh token and what may be stored of it."""
    token_id = secrets.token_hex(6)
    token = f"pmn_{token_id}_{secrets.token_urlsafe(32)}"
    return NewToken(token, token_id, sha256(token.encode()).digest())


def is_token(written: str) -> bool:
    """Tell whether this has the form of a token; nobody is asked."""
    return _TOKEN.fullmatch(written) is not None


class _Names:
    """Names in the database, read again when those at hand are some seconds old."""

    def __init__(
        self, read: Callable[[], Iterable[str]], elapsed: Callable[[], float]
    ) -> None:
        self._read = read
        self._elapsed = elapsed
        self._held: frozenset[str] = frozenset()
        self._until = float("-inf")

    def remembers(self, name: str) -> bool:
        """Tell whether a name is at hand; never blocks."""
        return name in self._held and self._elapsed() <= self._until

    def has(self, name: str, *, now: bool = False) -> bool:
        """Tell whether there is a name, as of some seconds ago or `now`; may block."""
        if now or self._elapsed() > self._until:
            self._held = frozenset(self._read())
            self._until = self._elapsed() + REMEMBERED_SECONDS
        return name in self._held


class Access:
    """Tells who a token belongs to; remembers good answers for some seconds."""

    def __init__(
        self,
        transaction: Transaction,
        clock: Clock,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transaction = transaction
        self._clock = clock
        self._elapsed = elapsed
        self._remembered: dict[str, tuple[float, Caller]] = {}
        self._living = _Names(self._read_living, elapsed)
        self._sources = _Names(self._read_sources, elapsed)

    def remembered(self, token: str) -> Caller | None:
        """Return the caller if known without asking the database; never blocks."""
        held = self._remembered.get(token)
        if held is not None and held[0] > self._elapsed():
            return held[1]
        return None

    def may_live(self, token: str) -> bool:
        """Tell whether there is a token of its id, as of some seconds ago."""
        written = _TOKEN.fullmatch(token)
        return written is not None and self._living.has(written[1])

    def lives(self, token_id: str) -> bool:
        """Tell whether a token was made and not revoked, as of some seconds ago.

        One that was made since then lives too.
        """
        return self._living.has(token_id) or self._living.has(token_id, now=True)

    def remembers_source(self, actor: str) -> bool:
        """Tell whether a source is known to have a good token; never blocks."""
        return self._sources.remembers(actor)

    def has_source(self, actor: str, *, now: bool = False) -> bool:
        """Tell whether a source has a good token, as of some seconds ago or `now`."""
        return self._sources.has(actor) or (now and self._sources.has(actor, now=True))

    def verify(self, token: str) -> Caller | None:
        """Return the caller of a living token, else None. Asks the database."""
        written = _TOKEN.fullmatch(token)
        if written is None:
            return None
        with self._transaction() as cursor:
            row = cursor.execute(_FIND, (written[1],)).fetchone()
        if row is None or not hmac.compare_digest(
            bytes(row[0]), sha256(token.encode()).digest()
        ):
            return None
        if row[3] is not None and cast("datetime", row[3]) <= self._clock():
            return None
        caller = Caller(row[1], tuple(row[2]), written[1], row[3])
        self._note_use(caller)
        if len(self._remembered) >= _REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[token] = (self._elapsed() + REMEMBERED_SECONDS, caller)
        return caller

    def _note_use(self, caller: Caller) -> None:
        """Remember that a person used a token; of sources, intake keeps account.

        Whoever reads is let in all the same if it cannot be written: the disk is full,
        the server is a standby, or somebody holds a lock on it.
        """
        if "source" in caller.scopes:
            return
        try:
            with self._transaction() as cursor:
                cursor.execute(_WAIT_SHORTLY)
                cursor.execute(_USE, (caller.token_id, self._clock()))
        except (psycopg.Error, Unavailable) as error:
            _log.debug("token.use_not_noted", error=type(error).__name__)

    def _read_living(self) -> Iterable[str]:
        with self._transaction() as cursor:
            rows = cursor.execute(_LIVING, (_LIVING_MAX,)).fetchall()
        return (row[0] for row in rows)

    def _read_sources(self) -> Iterable[str]:
        with self._transaction() as cursor:
            rows = cursor.execute(_SOURCES, (self._clock(), _LIVING_MAX)).fetchall()
        return (row[0] for row in rows)


def create(
    cursor: Cursor[tuple[Any, ...]],
    now: datetime,
    actor: str,
    scopes: Sequence[Scope],
    *,
    label: str = "",
    expires_at: datetime | None = None,
) -> NewToken:
    """Store the hash of a new token for `actor`; return the token, shown once."""
    made = new_token()
    row = (made.token_id, made.hash, actor, list(scopes), label, now, expires_at)
    cursor.execute(_STORE, row)
    return made


def tokens(cursor: Cursor[tuple[Any, ...]]) -> list[TokenRow]:
    """Return all tokens ever made, oldest first, without anything secret."""
    with cursor.connection.cursor(row_factory=class_row(TokenRow)) as rows:
        return rows.execute(_LIST).fetchall()


def last_used(cursor: Cursor[tuple[Any, ...]]) -> dict[str, datetime]:
    """Return when each token of a person was last used, to a minute."""
    return dict(cursor.execute(_LAST_USED).fetchall())


def revoke(cursor: Cursor[tuple[Any, ...]], token_id: str, now: datetime) -> bool:
    """End a token for ever; False where none of this id was living.

    Running processes may accept it for `REMEMBERED_SECONDS` more.
    """
    return cursor.execute(_REVOKE, (now, token_id)).rowcount > 0
