"""Authenticates bearer tokens and source keys, of which only hashes are stored.

A token has the form `pmn_<id>_<secret>`: the id finds the row, the hash of the whole
token verifies it. Secrets have 256 random bits, so a fast hash is sufficient.
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
    """The owner of a token: `actor` as in events, and its scopes."""

    actor: str
    scopes: tuple[Scope, ...]
    token_id: str
    expires_at: datetime | None = None


@dataclass(frozen=True)
class NewToken:
    """A new token: `token` is shown once and never stored."""

    token: str
    token_id: str
    hash: bytes


@dataclass(frozen=True)
class TokenRow:
    """A stored token, for lists; valid until one of its two instants has passed."""

    token_id: str
    actor: str
    scopes: Sequence[Scope]
    label: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def new_token() -> NewToken:
    """Return a new token, and the parts of it that may be stored."""
    token_id = secrets.token_hex(6)
    token = f"pmn_{token_id}_{secrets.token_urlsafe(32)}"
    return NewToken(token, token_id, sha256(token.encode()).digest())


def is_token(written: str) -> bool:
    """Return whether a text has the form of a token, without a look-up."""
    return _TOKEN.fullmatch(written) is not None


class _Names:
    """A set of names in the database, cached for some seconds."""

    def __init__(
        self, read: Callable[[], Iterable[str]], elapsed: Callable[[], float]
    ) -> None:
        self._read = read
        self._elapsed = elapsed
        self._held: frozenset[str] = frozenset()
        self._until = float("-inf")

    def remembers(self, name: str) -> bool:
        """Return whether a name is in the cache; never blocks."""
        return name in self._held and self._elapsed() <= self._until

    def has(self, name: str, *, now: bool = False) -> bool:
        """Return whether a name exists, as of some seconds ago or `now`; may block."""
        if now or self._elapsed() > self._until:
            self._held = frozenset(self._read())
            self._until = self._elapsed() + REMEMBERED_SECONDS
        return name in self._held


class Access:
    """Finds the owner of a token; caches valid tokens for some seconds."""

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
        """Return the caller if it is cached; never blocks."""
        held = self._remembered.get(token)
        if held is not None and held[0] > self._elapsed():
            return held[1]
        return None

    def may_live(self, token: str) -> bool:
        """Return whether a token with its id exists, as of some seconds ago."""
        written = _TOKEN.fullmatch(token)
        return written is not None and self._living.has(written[1])

    def lives(self, token_id: str) -> bool:
        """Return whether a token exists and is not revoked, as of some seconds ago.

        Also true for a token created since then.
        """
        return self._living.has(token_id) or self._living.has(token_id, now=True)

    def remembers_source(self, actor: str) -> bool:
        """Return whether the cache has a valid token of a source; never blocks."""
        return self._sources.remembers(actor)

    def has_source(self, actor: str, *, now: bool = False) -> bool:
        """Return whether a source has a valid token, some seconds ago or `now`."""
        return self._sources.has(actor) or (now and self._sources.has(actor, now=True))

    def verify(self, token: str) -> Caller | None:
        """Return the owner of a valid token, otherwise None. Queries the database."""
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
        """Record that a person used a token; intake records the use by sources.

        If it cannot be written, the caller is accepted nevertheless: the disk may be
        full, the server a standby, or the row locked.
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
    """Return all tokens ever created, oldest first, without secrets."""
    with cursor.connection.cursor(row_factory=class_row(TokenRow)) as rows:
        return rows.execute(_LIST).fetchall()


def last_used(cursor: Cursor[tuple[Any, ...]]) -> dict[str, datetime]:
    """Return when each token of a person was last used, to the minute."""
    return dict(cursor.execute(_LAST_USED).fetchall())


def revoke(cursor: Cursor[tuple[Any, ...]], token_id: str, now: datetime) -> bool:
    """Revoke a token permanently; False if there was no valid one with this id.

    Running processes may accept it for another `REMEMBERED_SECONDS`.
    """
    return cursor.execute(_REVOKE, (now, token_id)).rowcount > 0
