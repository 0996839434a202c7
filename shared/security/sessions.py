"""Sessions of people who are signed in, revocable and listed.

A session's secret is a credential as a token is: `pms_<id>_<secret>`, of which only the
hash is stored. Every service that owns a stream verifies it, so a command from a page
carries it. Its rights are read whenever it is verified: those of the token it began
with, those it was given alone, or those that its person was granted.

Somebody who signs in again is the same sender of commands: a form that is sent again
afterwards is still the same command.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from operator import attrgetter
from typing import Any, Literal

from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from shared.database.cursors import Cursors
from shared.domain.limits import limits_from
from shared.security.rights import OF_THOSE_PRESENT, Grant, Grants, grants_of
from shared.security.seals import SealKeys, is_sealed, rights_json, rights_of, seal

Method = Literal["token", "link", "mail", "invitation", "provider", "break_glass"]
"""How somebody signed in: with a token, a link from the command line, a link in a mail,
an invitation, at an identity provider, or with a break-glass code."""
DEVICE_MAX = 60
LISTED_MAX = 200
"""The most sessions that a list shows, the newest first."""
KEPT = timedelta(days=31)
"""How long a session that has ended is kept."""
_SECRET = re.compile(r"pms_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)
_PERSON = "person:"

_START = """
INSERT INTO access.sessions (
    session_id, hash, actor, method, token_id, rights, device,
    created_at, expires_at, idle_seconds, last_used, seal
) VALUES (
    %(session_id)s, %(hash)s, %(actor)s, %(method)s, %(token_id)s, %(rights)s,
    %(device)s, %(created_at)s, %(expires_at)s, %(idle_seconds)s, %(created_at)s,
    %(seal)s
)
"""
_SWEEP = "DELETE FROM access.sessions WHERE expires_at < %s"
_FIND = f"""
SELECT session_id, hash, actor, method, token_id, rights, created_at, expires_at,
       idle_seconds, last_used, seal
FROM access.sessions WHERE session_id = %s AND revoked_at IS NULL
  AND {OF_THOSE_PRESENT}
"""  # noqa: S608 # our own names
_SCOPES = f"""
SELECT scopes, clients, services, teams FROM access.tokens
WHERE token_id = %s AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > %s)
  AND {OF_THOSE_PRESENT}
"""  # noqa: S608 # our own names
_USE = """
UPDATE access.sessions SET last_used = %(now)s
WHERE session_id = %(session)s AND revoked_at IS NULL
  AND last_used < %(now)s - interval '1 minute'
"""
_LIST = f"""
SELECT session_id, actor, method, device, created_at, last_used, expires_at
FROM access.sessions
WHERE revoked_at IS NULL AND expires_at > %(now)s
  AND last_used + make_interval(secs => idle_seconds) > %(now)s
  AND (%(actor)s::text IS NULL OR actor = %(actor)s)
  AND {OF_THOSE_PRESENT}
ORDER BY created_at DESC, session_id LIMIT %(most)s
"""  # noqa: S608 # our own names
_NAMED = """
SELECT session_id, actor, method, device, created_at, last_used, expires_at
FROM access.sessions WHERE session_id = %s
"""
_REVOKE = """
UPDATE access.sessions SET revoked_at = %(now)s
WHERE revoked_at IS NULL AND expires_at > %(now)s
  AND (%(session)s::text IS NULL OR session_id = %(session)s)
  AND (%(actor)s::text IS NULL OR actor = %(actor)s)
  AND session_id IS DISTINCT FROM %(sparing)s
"""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lasts, and how long it may be unused."""

    whole: timedelta = timedelta(hours=12)
    idle: timedelta = timedelta(hours=1)


SHIFT = Lifetime()


@dataclass(frozen=True, slots=True)
class Start:
    """Who signs in, and how: what a session is made of."""

    actor: str
    method: Method
    token_id: str | None = None
    """The token whose rights it has, and with which it ends."""
    rights: Sequence[Grant] | None = None
    """Rights for this session, beside those that the person was granted."""
    label: str = ""
    """Where a break-glass code was kept."""
    device: str = ""
    lifetime: Lifetime = SHIFT


@dataclass(frozen=True, slots=True)
class NewSession:
    """A new session: `secret` is given to the browser and never stored."""

    secret: str
    session_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A session as lists show it."""

    session_id: str
    actor: str
    method: Method
    device: str
    created_at: datetime
    last_used: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionHolder:
    """Who a session belongs to, and what they may do at the moment."""

    session_id: str
    actor: str
    grants: Grants
    expires_at: datetime
    last_used: datetime
    """To the minute."""


def session_id_of(secret: str) -> str | None:
    """Return the id in a text that has the form of a session's secret, else None."""
    written = _SECRET.fullmatch(secret)
    return written[1] if written else None


def begin_session(
    cursor: Cursors, keys: SealKeys, now: datetime, start: Start
) -> NewSession:
    """Store a session that begins now; return its secret. Raises `NoVault`."""
    session_id = secrets.token_hex(6)
    secret = f"pms_{session_id}_{secrets.token_urlsafe(32)}"
    rights = None if start.rights is None else rights_json(start.rights)
    row = {
        "session_id": session_id,
        "hash": sha256(secret.encode()).digest(),
        "actor": start.actor,
        "method": start.method,
        "token_id": start.token_id,
        "rights": rights,
        "created_at": now,
        "expires_at": now + start.lifetime.whole,
        "idle_seconds": int(start.lifetime.idle.total_seconds()),
    }
    stored = row | {
        "rights": None if rights is None else Jsonb(rights),
        "device": start.device[:DEVICE_MAX],
        "seal": seal(keys, row),
    }
    cursor.execute(_SWEEP, (now - KEPT,))
    cursor.execute(_START, stored)
    return NewSession(secret, session_id, now + start.lifetime.whole)


def find_session(
    cursor: Cursors, keys: SealKeys, secret: str, now: datetime
) -> SessionHolder | None:
    """Return who a secret belongs to, None if it is not one of a living session."""
    session_id = session_id_of(secret)
    if session_id is None:
        return None
    with cursor.connection.cursor(row_factory=dict_row) as rows:
        found = rows.execute(_FIND, (session_id,)).fetchone()
    if found is None or not _is_alive(keys, secret, found, now):
        return None
    given = None if found["rights"] is None else rights_of(found["rights"])
    begun = Start(found["actor"], found["method"], found["token_id"], given)
    grants = rights_at(cursor, begun, now)
    if not grants:
        return None
    return SessionHolder(
        session_id,
        found["actor"],
        grants,
        found["expires_at"],
        found["last_used"],
    )


def note_use(cursor: Cursors, session_id: str, now: datetime) -> bool:
    """Record that a session is used, to the minute; return whether that was news."""
    return cursor.execute(_USE, {"session": session_id, "now": now}).rowcount > 0


def living_sessions(
    cursor: Cursors, now: datetime, actor: str | None = None
) -> Sequence[Session]:
    """Return the sessions of an actor, or of everybody, that have not ended."""
    asked = {"now": now, "actor": actor, "most": LISTED_MAX}
    with cursor.connection.cursor(row_factory=class_row(Session)) as rows:
        return rows.execute(_LIST, asked).fetchall()


def session_named(cursor: Cursors, session_id: str) -> Session | None:
    """Return a session by its id, also one that has ended; None if unknown."""
    with cursor.connection.cursor(row_factory=class_row(Session)) as rows:
        return rows.execute(_NAMED, (session_id,)).fetchone()


def revoke_sessions(
    cursor: Cursors,
    now: datetime,
    *,
    session_id: str | None = None,
    actor: str | None = None,
    sparing: str | None = None,
) -> int:
    """End the session with an id, or those of an actor; return how many there were.

    `sparing` is the id of one that goes on. Running processes may answer
    reads of an ended session for another `REMEMBERED_SECONDS`.
    """
    if session_id is None and actor is None:
        raise ValueError("name a session or a person")
    asked = {"now": now, "session": session_id, "actor": actor, "sparing": sparing}
    return cursor.execute(_REVOKE, asked).rowcount


_SEALED = (
    "session_id",
    "hash",
    "actor",
    "method",
    "token_id",
    "rights",
    "created_at",
    "expires_at",
    "idle_seconds",
)


def _is_alive(
    keys: SealKeys, secret: str, found: Mapping[str, Any], now: datetime
) -> bool:
    """Return whether the secret is the row's, and the row is sealed and not over."""
    if not secrets.compare_digest(found["hash"], sha256(secret.encode()).digest()):
        return False
    if not is_sealed(keys, {name: found[name] for name in _SEALED}, found["seal"]):
        return False
    idle = timedelta(seconds=found["idle_seconds"])
    return bool(now < found["expires_at"] and now - found["last_used"] < idle)


def rights_at(cursor: Cursors, start: Start, now: datetime) -> Grants:
    """Return the rights of a session at an instant, by role; it may have none."""
    held = (each for each in _grants_at(cursor, start, now) if each.role != "source")
    return tuple(sorted(held, key=attrgetter("role")))


def _grants_at(cursor: Cursors, start: Start, now: datetime) -> Grants:
    if start.token_id is not None:
        row = cursor.execute(_SCOPES, (start.token_id, now)).fetchone()
        if row is None:
            return ()
        limits = limits_from(*row[1:])
        return tuple(Grant(start.token_id, scope, limits) for scope in row[0])
    granted = grants_of(cursor, start.actor.removeprefix(_PERSON), now)
    return (*(start.rights or ()), *granted)
