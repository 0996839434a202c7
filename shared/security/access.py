"""Authenticates bearer tokens and source keys, of which only hashes are stored.

A token has the form `pmn_<id>_<secret>`: the id finds the row, the hash of the whole
token verifies it. Secrets have 256 random bits, so a fast hash is sufficient. The
secret of a session is accepted as a token is: see `sessions`.
"""

import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import cast

import psycopg
import structlog
from psycopg.rows import class_row

from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.domain.limits import (
    EVERYTHING,
    Limits,
    Place,
    Within,
    limits_from,
    names_of,
)
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.messaging.commands import Scope
from shared.security.rights import (
    OF_THOSE_PRESENT,
    Grant,
    Grants,
    limits_of,
    roles_at,
    roles_of,
)
from shared.security.seals import SealKeys, no_keys
from shared.security.sessions import find_session, note_use, session_id_of

REMEMBERED_SECONDS = 5.0
"""How long a running process may answer the reads of a revoked token, and take signals
of a source; what changes something is always asked of the database."""
_NOTED = timedelta(minutes=1)
"""How often it is recorded that a credential is used, as `_USE` has it."""
_REMEMBERED_MAX = 10_000
_LIVING_MAX = 100_000
_log = structlog.get_logger(__name__)
_TOKEN = re.compile(r"pmn_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)

_FIND = f"""
SELECT hash, actor, scopes, expires_at, clients, services, teams FROM access.tokens
WHERE token_id = %s AND revoked_at IS NULL
  AND {OF_THOSE_PRESENT}
"""  # noqa: S608 # our own names
_USE = """
INSERT INTO access.token_use AS known (token_id, last_used) VALUES (%s, %s)
ON CONFLICT (token_id) DO UPDATE SET last_used = excluded.last_used
WHERE known.last_used < excluded.last_used - interval '1 minute'
"""
_WAIT_SHORTLY = "SET LOCAL lock_timeout = '50ms'"
_LAST_USED = "SELECT token_id, last_used FROM access.token_use"
_STORE = """
INSERT INTO access.tokens (token_id, hash, actor, scopes, label, created_at, expires_at,
    clients, services, teams)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_LIVING = """
(SELECT token_id FROM access.tokens WHERE revoked_at IS NULL
 ORDER BY created_at DESC LIMIT %(most)s)
UNION ALL
(SELECT session_id FROM access.sessions WHERE revoked_at IS NULL
 ORDER BY created_at DESC LIMIT %(most)s)
"""
_SOURCES = """
SELECT DISTINCT actor FROM access.tokens
WHERE 'source' = ANY (scopes) AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > %s) LIMIT %s
"""
_LIVING_KEYS = """
SELECT count(*) FROM access.tokens
WHERE actor = 'source:' || %s AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > %s)
"""
_LIST = """
SELECT token_id, actor, scopes, label, created_at, expires_at,
    coalesce(revoked_at, removed_at) AS revoked_at, clients, services, teams
FROM access.tokens LEFT JOIN access.removed_people AS gone
  ON actor = 'person:' || gone.person AND gone.removal > after_removal
ORDER BY created_at, token_id
"""
_REVOKE_ONE = "SELECT access.revoke_token(%s, %s)"
_CREATE_SOURCE_KEY = "SELECT access.create_source_key(%s, %s, %s, %s, %s, %s)"
_REVOKE = """
UPDATE access.tokens SET revoked_at = %s WHERE token_id = %s AND revoked_at IS NULL
"""

_VALID = f"""
SELECT token_id FROM access.tokens
WHERE token_id = ANY(%(ids)s) AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > %(now)s) AND {OF_THOSE_PRESENT}
UNION ALL
SELECT session_id FROM access.sessions AS held
WHERE session_id = ANY(%(ids)s) AND revoked_at IS NULL AND expires_at > %(now)s
  AND {OF_THOSE_PRESENT}
  AND (held.token_id IS NULL OR EXISTS (
      SELECT FROM access.tokens AS its WHERE its.token_id = held.token_id
        AND its.revoked_at IS NULL
        AND (its.expires_at IS NULL OR its.expires_at > %(now)s)))
"""  # noqa: S608 # our own names


@dataclass(frozen=True)
class Caller:
    """The owner of a credential: `actor` as in events, and what they may do.

    The owner of a link in a mail has no grants: a link is good for one thing alone.
    """

    actor: str
    grants: Grants
    """Each scope with the limits within which it holds."""
    token_id: str
    expires_at: datetime | None = None
    session_id: str | None = None
    """The session, if this is the caller's credential; `token_id` is then the actor."""

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes that the caller has for some records, each once."""
        return roles_of(self.grants)

    @property
    def is_limited(self) -> bool:
        """Whether some scope is only for records within limits."""
        return any(each.limits != EVERYTHING for each in self.grants)

    def limits_of(self, *scopes: Scope) -> Within:
        """Return the limits within which the caller has one of these scopes."""
        return limits_of(self.grants, *scopes)

    def scopes_at(self, place: Place) -> tuple[Scope, ...]:
        """Return the scopes that the caller has for a record at this place."""
        return roles_at(self.grants, place)


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
    clients: Sequence[str] | None = None
    services: Sequence[str] | None = None
    teams: Sequence[str] | None = None


def new_token(token_id: str | None = None) -> NewToken:
    """Return a new token, and the parts of it that may be stored."""
    token_id = token_id or secrets.token_hex(6)
    token = f"pmn_{token_id}_{secrets.token_urlsafe(32)}"
    return NewToken(token, token_id, sha256(token.encode()).digest())


def is_token(written: str) -> bool:
    """Return whether a text has the form of a token or of a session's secret."""
    return _TOKEN.fullmatch(written) is not None or session_id_of(written) is not None


class _Names:
    """A set of names in the database, cached for some seconds."""

    def __init__(
        self, read: Callable[[], Iterable[str]], elapsed: Callable[[], float]
    ) -> None:
        self._read = read
        self._elapsed = elapsed
        self._held: frozenset[str] = frozenset()
        self._until = float("-inf")
        self._added: dict[str, float] = {}
        """Names that have come to exist here, and until when they count as read."""

    def add(self, name: str) -> None:
        """Add a name that has come to exist here; never blocks."""
        self._added[name] = self._elapsed() + REMEMBERED_SECONDS

    def remembers(self, name: str) -> bool:
        """Return whether a name is in the cache; never blocks."""
        return name in self._held and self._elapsed() <= self._until

    def has(self, name: str, *, now: bool = False) -> bool:
        """Return whether a name exists, as of some seconds ago or `now`; may block."""
        if now or self._elapsed() > self._until:
            self._held = frozenset(self._read())
            self._until = self._elapsed() + REMEMBERED_SECONDS
            old = [n for n, until in [*self._added.items()] if self._elapsed() > until]
            for each in old:
                self._added.pop(each, None)
        return name in self._held or name in self._added


class Access:
    """Finds the owner of a token; caches valid tokens for some seconds."""

    def __init__(
        self,
        log: EventLog,
        clock: Clock,
        elapsed: Callable[[], float] = time.monotonic,
        seal_keys: SealKeys = no_keys,
    ) -> None:
        self._log = log
        self._clock = clock
        self._elapsed = elapsed
        self._seal_keys = seal_keys
        self._remembered: dict[str, tuple[float, Caller]] = {}
        self._noted: dict[str, datetime] = {}
        """When the use of a credential was recorded here, by its id."""
        self._living = _Names(self._read_living, elapsed)
        self._sources = _Names(self._read_sources, elapsed)

    def remembered(self, token: str) -> Caller | None:
        """Return the caller if it is cached; never blocks."""
        held = self._remembered.get(token)
        if held is not None and held[0] > self._elapsed():
            return held[1]
        return None

    def may_live(self, token: str) -> bool:
        """Return whether a token or a session with its id exists, as of seconds ago."""
        written = _TOKEN.fullmatch(token)
        id_ = written[1] if written else session_id_of(token)
        return id_ is not None and self._living.has(id_)

    def note_begun(self, session_id: str) -> None:
        """Let a session that began in this process count as one that may live."""
        self._living.add(session_id)

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
        caller = self._of_token(token) or self._of_session(token)
        if caller is None:
            return None
        self._note_use(caller)
        if len(self._remembered) >= _REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[token] = (self._elapsed() + REMEMBERED_SECONDS, caller)
        return caller

    def forget(self, token: str) -> None:
        """Drop a token from the cache: what its owner may do has just changed."""
        self._remembered.pop(token, None)

    def forget_sessions(self) -> None:
        """Drop all sessions from the cache: some were ended here."""
        for token, (_, caller) in list(self._remembered.items()):
            if caller.session_id is not None:
                self._remembered.pop(token, None)

    def _of_token(self, token: str) -> Caller | None:
        written = _TOKEN.fullmatch(token)
        if written is None:
            return None
        self._log.guard()  # a wrong clock cannot tell whether it has expired
        asked = (written[1],)
        row = self._log.read(lambda c: c.execute(_FIND, asked).fetchone())
        if row is None or not hmac.compare_digest(
            bytes(row[0]), sha256(token.encode()).digest()
        ):
            return None
        if row[3] is not None and cast("datetime", row[3]) <= self._clock():
            return None
        limits = limits_from(*row[4:7])
        grants = tuple(Grant(written[1], scope, limits) for scope in row[2])
        return Caller(row[1], grants, written[1], row[3])

    def _of_session(self, secret: str) -> Caller | None:
        if session_id_of(secret) is None:
            return None
        with self._log.transaction() as cursor:
            held = find_session(cursor, self._seal_keys, secret, self._clock())
        if held is None:
            return None
        self._noted[held.session_id] = held.last_used
        return Caller(
            held.actor,
            held.grants,
            held.actor,
            held.expires_at,
            held.session_id,
        )

    def _note_use(self, caller: Caller) -> None:
        """Record that a person used a token or a session; intake does for sources.

        If it cannot be written, the caller is accepted nevertheless: the disk may be
        full, the server a standby, or the row locked.
        """
        now, id_ = self._clock(), caller.session_id or caller.token_id
        noted = self._noted.get(id_)
        if "source" in caller.scopes or (noted and noted <= now < noted + _NOTED):
            return
        try:
            with self._log.transaction() as cursor:
                cursor.execute(_WAIT_SHORTLY)
                if caller.session_id is not None:
                    is_written = note_use(cursor, caller.session_id, now)
                else:
                    cursor.execute(_USE, (caller.token_id, now))
                    is_written = cursor.rowcount > 0
        except (psycopg.Error, Unavailable) as error:
            _log.debug("token.use_not_noted", error=type(error).__name__)
            return
        if len(self._noted) >= _REMEMBERED_MAX:
            self._noted.clear()
        if is_written:
            self._noted[id_] = now

    def _read_living(self) -> Iterable[str]:
        most = {"most": _LIVING_MAX}
        rows = self._log.read(lambda c: c.execute(_LIVING, most).fetchall())
        return (row[0] for row in rows)

    def _read_sources(self) -> Iterable[str]:
        asked = (self._clock(), _LIVING_MAX)
        rows = self._log.read(lambda c: c.execute(_SOURCES, asked).fetchall())
        return (row[0] for row in rows)


def create(  # noqa: PLR0913 # a column of the row each
    cursor: Cursors,
    now: datetime,
    actor: str,
    scopes: Sequence[Scope],
    *,
    label: str = "",
    expires_at: datetime | None = None,
    limits: Limits = EVERYTHING,
) -> NewToken:
    """Store the hash of a new token for `actor`; return the token, shown once."""
    made = new_token()
    row = (made.token_id, made.hash, actor, list(scopes), label, now, expires_at)
    cursor.execute(_STORE, (*row, *names_of(limits)))
    return made


def create_source_key(  # a column of the row each
    cursor: Cursors,
    made: NewToken,
    source: str,
    label: str,
    now: datetime,
    by: str,
) -> bool:
    """Store a source's key as intake does, whose role may not create other tokens.

    Returns False if there is a token with this id.
    """
    row = (made.token_id, made.hash, source, label, now, by)
    found = cursor.execute(_CREATE_SOURCE_KEY, row).fetchone()
    return found is not None and bool(found[0])


def living_keys(cursor: Cursors, source: str, now: datetime) -> int:
    """Return how many valid keys a source has, besides one that its policy names."""
    row = cursor.execute(_LIVING_KEYS, (source, now)).fetchone()
    return row[0] if row else 0


def tokens(cursor: Cursors) -> list[TokenRow]:
    """Return all tokens ever created, oldest first, without secrets."""
    with cursor.connection.cursor(row_factory=class_row(TokenRow)) as rows:
        return rows.execute(_LIST).fetchall()


def last_used(cursor: Cursors) -> dict[str, datetime]:
    """Return when each token of a person was last used, to the minute."""
    return dict(cursor.execute(_LAST_USED).fetchall())


def revoke_one(cursor: Cursors, token_id: str, now: datetime) -> bool:
    """Revoke a token as the API does, whose role may not change tokens otherwise."""
    row = cursor.execute(_REVOKE_ONE, (token_id, now)).fetchone()
    return row is not None and bool(row[0])


def revoke(cursor: Cursors, token_id: str, now: datetime) -> bool:
    """Revoke a token permanently; False if there was no valid one with this id.

    Running processes may answer its reads for another `REMEMBERED_SECONDS`.
    """
    return cursor.execute(_REVOKE, (now, token_id)).rowcount > 0


def valid_among(cursor: Cursors, ids: Iterable[str], now: datetime) -> frozenset[str]:
    """Return those of these ids of tokens and sessions that have not ended.

    One query for all who listen: `Access.verify` says one by one what they may do.
    """
    rows = cursor.execute(_VALID, {"ids": sorted(ids), "now": now}).fetchall()
    return frozenset(row[0] for row in rows)
