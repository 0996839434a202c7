"""Links and codes that sign one person in, once.

`pml_<id>_<secret>` stands in the address of a link, or on paper in an envelope. Only
its hash is stored, with the person it signs in, how long it can be used and what rights
the session gets. It is used up in the statement that checks it, so two who send it at
the same instant are not both signed in.
"""

import base64
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from shared.database.cursors import Cursors
from shared.security.rights import OF_THOSE_PRESENT, Grant
from shared.security.seals import SealKeys, is_sealed, rights_json, rights_of, seal
from shared.security.sessions import Start

LinkMethod = Literal["link", "mail", "invitation", "break_glass"]
LINK_MINUTES = 15
"""How long a link can be used, unless somebody says otherwise."""
INVITATION_DAYS = 7
"""How long the link of an invitation can be used."""
LABEL_MAX = 200
LISTED_MAX = 200
_SECRET = re.compile(r"pml_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)

_CREATE = """
INSERT INTO access.sign_in_links (
    link_id, hash, actor, method, token_id, rights, label, created_at, expires_at, seal
) VALUES (
    %(link_id)s, %(hash)s, %(actor)s, %(method)s, %(token_id)s, %(rights)s,
    %(label)s, %(created_at)s, %(expires_at)s, %(seal)s
) ON CONFLICT DO NOTHING
"""
_FIND = f"""
SELECT link_id, hash, actor, method, token_id, rights, label, created_at, expires_at,
       seal
FROM access.sign_in_links
WHERE link_id = %(link_id)s AND used_at IS NULL AND revoked_at IS NULL
  AND expires_at > %(now)s AND {OF_THOSE_PRESENT}
"""  # noqa: S608 # our own names
_IS_OPEN = f"""
SELECT FROM access.sign_in_links
WHERE link_id = %(link_id)s AND used_at IS NULL AND revoked_at IS NULL
  AND expires_at > %(now)s AND {OF_THOSE_PRESENT}
"""  # our own names
_USE_UP = f"""
UPDATE access.sign_in_links SET used_at = %(now)s
WHERE link_id = %(link_id)s AND hash = %(hash)s
  AND used_at IS NULL AND revoked_at IS NULL AND expires_at > %(now)s
  AND {OF_THOSE_PRESENT}
"""  # noqa: S608 # our own names
_LIST = """
SELECT link_id, actor, method, label, created_at, expires_at, used_at, revoked_at
FROM access.sign_in_links
WHERE method = %(method)s AND (%(label)s::text IS NULL OR label = %(label)s)
  AND (%(link_id)s::text IS NULL OR link_id = %(link_id)s)
ORDER BY created_at DESC, link_id LIMIT %(limit)s
"""
_REVOKE = """
UPDATE access.sign_in_links SET revoked_at = %(now)s
WHERE used_at IS NULL AND revoked_at IS NULL AND method = ANY(%(methods)s)
  AND (%(link_id)s::text IS NULL OR link_id = %(link_id)s)
  AND (%(actor)s::text IS NULL OR actor = %(actor)s)
"""
_CODES = """
SELECT label FROM access.sign_in_links
WHERE method = 'break_glass' AND used_at IS NULL AND revoked_at IS NULL
  AND expires_at > %s
ORDER BY label, link_id LIMIT %s
"""
# After a restore: a backup holds what was ended or used since it was made.
_REVOKE_ALL = """
UPDATE access.sign_in_links SET revoked_at = %s
WHERE used_at IS NULL AND revoked_at IS NULL
"""
_END_SESSIONS = "UPDATE access.sessions SET revoked_at = %s WHERE revoked_at IS NULL"
_DROP_MAIL = "DELETE FROM access.sign_in_mail WHERE kind IN ('link', 'invitation')"
_DROP_FEEDS = "DELETE FROM desk.calendar_feeds"
_TOKENS_LEFT = f"""
SELECT count(*) FROM access.tokens
WHERE actor LIKE 'person:%%' AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > %s) AND {OF_THOSE_PRESENT}
"""  # noqa: S608 # our own names
_NEWEST = f"""
SELECT token_id FROM access.tokens
WHERE actor = %s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %s)
  AND scopes && ARRAY['agent', 'manager', 'auditor', 'admin']
  AND {OF_THOSE_PRESENT}
ORDER BY created_at DESC LIMIT 1
"""  # noqa: S608 # our own names
_RECENT = """
SELECT count(*) FROM access.sign_in_links
WHERE actor = %s AND method = %s AND created_at > %s
"""


@dataclass(frozen=True, slots=True)
class NewLink:
    """What a link is made of; the same `key` makes the same link again."""

    actor: str
    method: LinkMethod
    lifetime: timedelta = timedelta(minutes=LINK_MINUTES)
    token_id: str | None = None
    """The token whose rights the session has."""
    rights: Sequence[Grant] | None = None
    """Rights of the session beside those that the person was granted."""
    label: str = ""
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link as lists show it."""

    link_id: str
    actor: str
    method: LinkMethod
    label: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


def link_id_of(secret: str) -> str | None:
    """Return the id in a text that has the form of a link's secret, else None."""
    written = _SECRET.fullmatch(secret)
    return written[1] if written else None


def create_link(cursor: Cursors, keys: SealKeys, now: datetime, link: NewLink) -> str:
    """Store a link; return its secret, which is shown once. Raises `NoVault`."""
    secret = _secret(link.key)
    rights = None if link.rights is None else rights_json(link.rights)
    row = {
        "link_id": link_id_of(secret),
        "hash": sha256(secret.encode()).digest(),
        "actor": link.actor,
        "method": link.method,
        "token_id": link.token_id,
        "rights": rights,
        "created_at": now,
        "expires_at": now + link.lifetime,
    }
    stored = row | {
        "rights": None if rights is None else Jsonb(rights),
        "label": link.label[:LABEL_MAX],
        "seal": seal(keys, row),
    }
    cursor.execute(_CREATE, stored)
    return secret


def use_up(cursor: Cursors, keys: SealKeys, secret: str, now: datetime) -> Start | None:
    """Use a link up; return who is signed in by it.

    None if it is unknown, used, revoked or expired.
    """
    asked = {
        "link_id": link_id_of(secret),
        "hash": sha256(secret.encode(errors="replace")).digest(),
        "now": now,
    }
    with cursor.connection.cursor(row_factory=dict_row) as rows:
        found = rows.execute(_FIND, asked).fetchone()
    if found is None or not hmac.compare_digest(found["hash"], asked["hash"]):
        return None
    sealed, label = found.pop("seal"), found.pop("label")
    if not is_sealed(keys, found, sealed):
        return None
    if cursor.execute(_USE_UP, asked).rowcount == 0:
        return None
    given = found["rights"]
    return Start(
        found["actor"],
        found["method"],
        found["token_id"],
        None if given is None else rights_of(given),
        label,
    )


def links(
    cursor: Cursors,
    method: LinkMethod,
    *,
    label: str | None = None,
    link_id: str | None = None,
) -> Sequence[Link]:
    """Return the newest links of one kind; with `label` or `link_id` only these."""
    asked = {"method": method, "label": label, "link_id": link_id, "limit": LISTED_MAX}
    with cursor.connection.cursor(row_factory=class_row(Link)) as rows:
        return rows.execute(_LIST, asked).fetchall()


@dataclass(frozen=True, slots=True)
class Revoked:
    """How much was ended, and how many tokens of people are still valid."""

    sessions: int
    links: int
    """Links and codes, mailed or not."""
    tokens_left: int
    codes: tuple[str, ...] = ()
    """Where the break-glass codes among them are kept."""


def revoke_sign_ins(cursor: Cursors, now: datetime) -> Revoked:
    """End everything that signs somebody in: sessions, links and codes.

    Also links that were asked for and not mailed yet, and those of calendars. Tokens go
    on: machines and scripts use them.
    """
    codes = cursor.execute(_CODES, (now, LISTED_MAX)).fetchall()
    sessions = cursor.execute(_END_SESSIONS, (now,)).rowcount
    ended = cursor.execute(_REVOKE_ALL, (now,)).rowcount
    cursor.execute(_DROP_MAIL)
    cursor.execute(_DROP_FEEDS)
    left = cursor.execute(_TOKENS_LEFT, (now,)).fetchone()
    tokens_left = int(left[0]) if left else 0
    return Revoked(sessions, ended, tokens_left, tuple(row[0] for row in codes))


def revoke_links(
    cursor: Cursors,
    now: datetime,
    methods: Sequence[LinkMethod],
    *,
    link_id: str | None = None,
    actor: str | None = None,
) -> int:
    """Revoke an unused link of these kinds, or all of an actor; return how many."""
    if link_id is None and actor is None:
        raise ValueError("name a link or a person")
    asked = {"now": now, "link_id": link_id, "actor": actor, "methods": list(methods)}
    return cursor.execute(_REVOKE, asked).rowcount


def key_of_invitation(key: bytes, request: UUID, person: str) -> bytes:
    """Return what the link of an invitation is made of, from a key of the vault."""
    return hmac.digest(key, f"invitation|{request}|{person}".encode(), sha256)


def open_secret(cursor: Cursors, made_of: Sequence[bytes], now: datetime) -> str | None:
    """Return the secret of the link that is made of one of these, if it can be used."""
    for key in made_of:
        secret = _secret(key)
        asked = {"link_id": link_id_of(secret), "now": now}
        if cursor.execute(_IS_OPEN, asked).fetchone() is not None:
            return secret
    return None


def links_since(
    cursor: Cursors, actor: str, method: LinkMethod, since: datetime
) -> int:
    """Return how many links of a kind somebody was sent since an instant."""
    row = cursor.execute(_RECENT, (actor, method, since)).fetchone()
    return int(row[0]) if row else 0


def newest_token_of(cursor: Cursors, actor: str, now: datetime) -> str | None:
    """Return the id of the newest valid token of a person, None without one."""
    row = cursor.execute(_NEWEST, (actor, now)).fetchone()
    return None if row is None else str(row[0])


def _secret(key: bytes | None) -> str:
    if key is None:
        return f"pml_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}"
    digest = sha256(b"link id" + key).hexdigest()[:12]
    text = base64.urlsafe_b64encode(sha256(b"secret" + key).digest())
    return f"pml_{digest}_{text.decode().rstrip('=')}"
